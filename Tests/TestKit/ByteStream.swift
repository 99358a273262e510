import Glibc

/// An endless stream of bytes that its seed determines, made by one side and checked by the other.
///
/// A block of a prime length repeats, so that lost, doubled or swapped bytes do not match by chance.
public struct ByteStream: Sendable {
  private static let blockLength = 65_521
  private let block: [UInt8]
  /// How many bytes were taken or matched so far.
  public private(set) var position = 0

  public init(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var block: [UInt8] = []
    block.reserveCapacity(Self.blockLength + 8)
    while block.count < Self.blockLength {
      let word = random.next()
      unsafe withUnsafeBytes(of: word) { unsafe block.append(contentsOf: $0) }
    }
    block.removeLast(block.count - Self.blockLength)
    self.block = block
  }

  /// The next `count` bytes.
  public mutating func next(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let start = position % block.count
      let length = min(count - bytes.count, block.count - start)
      bytes.append(contentsOf: block[start..<start + length])
      position += length
    }
    return bytes
  }

  /// Throws unless `bytes` are the stream's next.
  public mutating func match(_ bytes: [UInt8]) throws {
    let start = position
    let expected = next(bytes.count)
    let isSame = unsafe expected.withUnsafeBytes { a in
      unsafe bytes.withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return true }
        return unsafe memcmp(a, b, expected.count) == 0
      }
    }
    guard !isSame else { return }
    let offset = zip(expected, bytes).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
    throw TestFailure(
      "byte \(start + offset) of the stream is \(bytes[offset]), not \(expected[offset])")
  }
}
