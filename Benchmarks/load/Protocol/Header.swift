/// The first 32 bytes of a request and of its reply, big endian.
///
///     52 53 4c 44   the magic number, "RSLD"
///     00 00 00 01   flags
///     8 bytes       the request's length, these 32 bytes included; all ones: endless
///     8 bytes       the reply's length, likewise; 0: no reply
///     8 bytes       a sequence number
struct Header: Equatable, Sendable {
  static let size = 32
  static let magic: UInt32 = 0x5253_4c44
  /// The length of what has no end.
  static let endless = UInt64.max

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt32
    /// The server closes after its reply.
    static let closes = Flags(rawValue: 1)
    /// How many datagrams without a reply came, and their bytes?
    static let asksForCount = Flags(rawValue: 2)
  }

  var flags: Flags = []
  var requestLength: UInt64
  var replyLength: UInt64
  var sequence: UInt64 = 0

  /// Reads 32 bytes; nil when they begin with another magic number.
  @unsafe static func read(_ bytes: UnsafeRawPointer) -> Header? {
    guard unsafe UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)) == magic else { return nil }
    return unsafe Header(
      flags: Flags(rawValue: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))),
      requestLength: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
      replyLength: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
      sequence: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
  }

  /// Writes 32 bytes.
  @unsafe func write(to bytes: UnsafeMutableRawPointer) {
    unsafe bytes.storeBytes(of: Self.magic.bigEndian, as: UInt32.self)
    unsafe bytes.storeBytes(of: flags.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
    unsafe bytes.storeBytes(of: requestLength.bigEndian, toByteOffset: 8, as: UInt64.self)
    unsafe bytes.storeBytes(of: replyLength.bigEndian, toByteOffset: 16, as: UInt64.self)
    unsafe bytes.storeBytes(of: sequence.bigEndian, toByteOffset: 24, as: UInt64.self)
  }
}
