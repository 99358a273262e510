import Addresses

/// Bytes from hexadecimal digits; what follows a `#` on a line is a comment.
func hex(_ text: String) -> [UInt8] {
  text.split(separator: "\n").flatMap { line in
    (line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first ?? "")
      .split(separator: " ").map { UInt8($0, radix: 16)! }
  }
}

func mac(_ text: String) -> MACAddress { MACAddress(text)! }

/// `bytes` with those from `offset` on replaced.
func patched(_ bytes: [UInt8], at offset: Int, _ new: UInt8...) -> [UInt8] {
  var bytes = bytes
  bytes.replaceSubrange(offset..<offset + new.count, with: new)
  return bytes
}
