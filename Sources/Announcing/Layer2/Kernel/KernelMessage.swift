import Addresses
import CLibNl
import Glibc

/// One message of rtnetlink(7), as far as it matters here.
enum KernelMessage: Hashable, Sendable {
  case event(LinkEvent)
  /// All that was asked for by the request of this number was told; false where it changed meanwhile, or `error` says
  /// why it ended early (an errno, 0 for none).
  case dumpEnd(sequence: UInt32, isConsistent: Bool, error: CInt)
  /// The request of this number was refused.
  case refusal(sequence: UInt32, error: CInt)
  /// Of no concern, as what a bridge says of its ports.
  case other
  /// Cut short, or with lengths that do not fit.
  case malformed

  /// Reads messages one after the other until the buffer ends or one's length does not fit.
  ///
  /// `buffer` is aligned for four bytes. `isInterrupted` becomes true for a message of a dump during which something
  /// changed (NLM_F_DUMP_INTR).
  static func forEach(
    in buffer: UnsafeRawBufferPointer, _ body: (_ message: KernelMessage, _ isInterrupted: Bool) -> Void
  ) {
    var rest = unsafe buffer
    // Only as long as the caller's call, which keeps the buffer; C reads no further than `count`.
    while let start = rest.baseAddress, rest.count > 0 {
      var raw = clibnl_event()
      let step = unsafe clibnl_parse(start, rest.count, &raw)
      body(KernelMessage(raw), raw.is_interrupted != 0)
      if step == 0 { return }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[step...])
    }
  }

  private init(_ raw: clibnl_event) {
    switch raw.kind {
    case CLIBNL_LINK: self = .event(.link(Link(raw)))
    case CLIBNL_LINK_GONE: self = .event(.linkGone(index: raw.interface))
    case CLIBNL_ADDRESS:
      guard let address = raw.address else { self = .malformed; return }
      let valid = raw.valid == UInt32.max ? nil : raw.valid
      let flags = LinkAddress.Flags(rawValue: raw.flags)
      self = .event(
        .address(
          LinkAddress(address: address, prefixLength: Int(raw.prefix_length), flags: flags, validSeconds: valid),
          index: raw.interface))
    case CLIBNL_ADDRESS_GONE:
      guard let address = raw.address else { self = .malformed; return }
      self = .event(.addressGone(address, prefixLength: Int(raw.prefix_length), index: raw.interface))
    case CLIBNL_DONE:
      self = .dumpEnd(sequence: raw.sequence, isConsistent: raw.is_interrupted == 0, error: raw.error)
    case CLIBNL_ANSWER: self = raw.error == 0 ? .other : .refusal(sequence: raw.sequence, error: raw.error)
    case CLIBNL_MALFORMED: self = .malformed
    default: self = .other
    }
  }
}

extension clibnl_event {
  fileprivate var address: IPAddress? {
    let count = family == AF_INET ? 4 : 16
    return unsafe withUnsafeBytes(of: bytes) { unsafe IPAddress(networkBytes: $0.prefix(count)) }
  }
}

extension Link {
  fileprivate init(_ raw: clibnl_event) {
    let name = unsafe withUnsafeBytes(of: raw.name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let mac = unsafe withUnsafeBytes(of: raw.mac) { unsafe MACAddress($0) }
    self.init(
      index: raw.interface, name: name, flags: Flags(rawValue: raw.flags), mac: raw.has_mac != 0 ? mac : nil,
      master: raw.master, parent: raw.parent)
  }
}
