/// Looks at certificates and keys before libcurl does, whose words for what is wrong with them are few.
enum PEMFile {
  private static let limit = 8 << 20

  /// What is wrong with a file, or nil.
  static func problem(inFile path: String, isKey: Bool = false) -> String? {
    do throws(FileSystem.ReadError) {
      return problem(in: try FileSystem.read(path, limit: limit).bytes, isKey: isKey)
    } catch { return error.message }
  }

  /// What is wrong with a text, or nil. Nothing of the text is in it.
  static func problem(in bytes: [UInt8], isKey: Bool = false) -> String? {
    guard bytes.firstRange(of: Array("-----BEGIN ".utf8)) != nil else { return "holds no PEM text (-----BEGIN …)" }
    guard isKey else { return nil }
    guard bytes.firstRange(of: Array(" PRIVATE KEY-----".utf8)) != nil else { return "holds no private key" }
    // PKCS #8 says it in the first line, the older form in a header (RFC 1421).
    let isEncrypted =
      bytes.firstRange(of: Array("BEGIN ENCRYPTED ".utf8)) != nil
      || bytes.firstRange(of: Array("Proc-Type: 4,ENCRYPTED".utf8)) != nil
    return isEncrypted ? "is encrypted; a key without a pass phrase is needed" : nil
  }
}
