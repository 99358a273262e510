import EventLoop
import Glibc

/// For which of its addresses the kernel answers ARP requests on an interface: `arp_ignore` (ip-sysctl, in the kernel's
/// documentation), of the network namespace of the thread that asks.
///
/// What it does to an address of a host's prefix, as seen on Linux 6.18:
///
/// | effective value | requests for an address of this interface | of another interface |
/// |---|---|---|
/// | 0, 4 to 7 | answered | answered |
/// | 1 | answered | not answered |
/// | 2 | answered only where another address here has a subnet that holds both it and who asks | not answered |
/// | 3 | answered | answered |
/// | 8 | not answered | not answered |
struct ARPSettings: Sendable {
  /// A knob, as `net.ipv4.conf.eth0.arp_ignore`, and what it says.
  private struct Value {
    let scope: String
    let number: Int
  }

  private let root: String

  /// `root` is /proc/sys/net/ipv4/conf, but in tests.
  init(root: String = "/proc/sys/net/ipv4/conf") { self.root = root }

  /// The value that counts for an interface: the larger one of its own and of `all`. Nil where there is none to read.
  func effective(_ name: String) -> Int? { effectiveValue(name)?.number }

  /// Makes the kernel answer on the interface `name` for that interface's addresses only, for hosts with two interfaces
  /// on one LAN. Returns a warning where that is not so.
  func require(on name: String) -> String? {
    let risk = "hosts of its network may hear two MACs for one address"
    guard let value = effectiveValue(name) else { return "arp_ignore of \(name) cannot be read: \(risk)" }
    switch value.number {
    case 1, 2, 8: return nil
    case 0:
      guard let error = write("1", to: path(name)) else { return nil }
      return "arp_ignore of \(name) is 0 and cannot be set: \(error); \(risk)"
    // Somebody's choice, so it is left.
    default: return "arp_ignore of \(name) is \(value.number)\(value.scope), not 1: \(risk)"
    }
  }

  /// A warning where the kernel does not answer on the interface `name` for an address that is put there.
  func check(_ name: String) -> String? {
    guard let value = effectiveValue(name) else { return nil }
    switch value.number {
    case 2:
      return "arp_ignore of \(name) is 2\(value.scope): the kernel answers for an address only to hosts that share a "
        + "subnet with it in which \(name) has another"
    case 8: return "arp_ignore of \(name) is 8\(value.scope): the kernel answers no ARP request"
    default: return nil
    }
  }

  private func effectiveValue(_ name: String) -> Value? {
    guard isInterface(name), let own = read(path(name)) else { return nil }
    let all = read(path("all")) ?? 0
    return all > own ? Value(scope: " (as for all)", number: all) : Value(scope: "", number: own)
  }

  /// The kernel has no interface of these names in the table (dev_valid_name, sysctl_dev_name_is_allowed).
  private func isInterface(_ name: String) -> Bool {
    !["", ".", "..", "all", "default"].contains(name) && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }

  private func path(_ name: String) -> String { "\(root)/\(name)/arp_ignore" }

  private func read(_ path: String) -> Int? {
    // The text lives through the call.
    guard let file = try? unsafe OwnedDescriptor(checking: open(path, O_RDONLY | O_CLOEXEC)) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    // Only as long as the call.
    let count = unsafe Glibc.read(file.rawValue, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return Int(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self))
  }

  private func write(_ text: String, to path: String) -> Errno? {
    do {
      // The texts live through the calls.
      let file = try unsafe OwnedDescriptor(checking: open(path, O_WRONLY | O_CLOEXEC))
      let bytes = Array(text.utf8)
      // Only as long as the call.
      return unsafe Glibc.write(file.rawValue, bytes, bytes.count) == bytes.count ? nil : Errno.current
    } catch { return error }
  }
}
