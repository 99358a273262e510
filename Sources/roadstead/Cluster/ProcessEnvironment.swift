import Glibc

/// The variables of this process's environment (environ(7)).
enum ProcessEnvironment {
  /// By name. Nothing here changes them.
  static var variables: [String: String] {
    var variables: [String: String] = [:]
    for index in 0... {
      // A list that ends with null, and that lives as long as the process.
      guard let entry = unsafe environ[index] else { break }
      let text = unsafe String(cString: entry)
      guard let equals = text.firstIndex(of: "=") else { continue }
      variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    return variables
  }
}
