import Foundation
import TestKit
import Testing

/// The pages that follow a connection and a service through the source name what is there.
@Suite struct LifePagesTests {
  @Test(
    "every directory, type and function that a life-of page names is in the source", .timeLimit(.minutes(1)),
    arguments: ["life-of-a-connection", "life-of-a-service"])
  func names(page: String) throws {
    let text = try readFile("\(RoadsteadBinary.checkout)/docs/\(page).md")
    let sources = try Self.sources()
    var checked = 0
    for name in text.matches(of: /`([A-Z][A-Za-z]+)(?:\.([a-z][A-Za-z]+))?`/) {
      // The pages say with it where a function is.
      guard name.1 != "Type" else { continue }
      let files = sources.filter { $0.name == "\(name.1).swift" || $0.name.hasPrefix("\(name.1)+") }
      let declares = try Regex("(class|struct|enum|actor|protocol) \(name.1)\\b")
      let isDeclared = sources.contains { $0.text.contains(declares) }
      #expect(isDeclared, "docs/\(page).md names \(name.1)")
      guard let function = name.2 else { continue }
      checked += 1
      #expect(
        files.contains { $0.text.contains("func \(function)(") }, "docs/\(page).md names \(name.1).\(function)")
    }
    #expect(checked > 5)
    for directory in text.matches(of: /`(Sources\/[A-Za-z\/]+)`/) {
      #expect(FileManager.default.fileExists(atPath: "\(RoadsteadBinary.checkout)/\(directory.1)"), "\(directory.1)")
    }
  }

  private static func sources() throws -> [(name: String, text: String)] {
    let root = "\(RoadsteadBinary.checkout)/Sources"
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".swift") }
    return try paths.map { path in
      (path.split(separator: "/").last.map(String.init) ?? path, try readFile("\(root)/\(path)"))
    }
  }
}
