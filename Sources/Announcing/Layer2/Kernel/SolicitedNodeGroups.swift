import Addresses
import CLibNl
import EventLoop
import Glibc

/// Memberships in the solicited-node groups of IPv6 addresses (RFC 4291, section 2.7.1). Loop only, including its end.
///
/// A switch that snoops on MLD forwards other hosts' solicitations for an address to members of its group alone; the
/// kernel joins for addresses that it has, this for those that are being asked about.
final class SolicitedNodeGroups {
  /// A group on an interface. Addresses with the same last 24 bits share it.
  private struct Membership: Hashable {
    let group: IPAddress
    let index: CInt
  }

  private struct Holding {
    let socket: Socket
    var count = 1
  }

  /// Leaves all its groups when it ends.
  private final class Socket {
    let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
  }

  private var holdings: [Membership: Holding] = [:]
  /// The socket that takes the next membership, until it is full.
  private var latest: Socket?
  /// Joins and leaves that the kernel refused.
  private(set) var failures: UInt64 = 0
  /// Groups that are joined, each interface counted.
  var count: Int { holdings.count }
  /// Sockets that hold them.
  var socketCount: Int { Set(holdings.values.map { ObjectIdentifier($0.socket) }).count }

  init() {}

  /// The group of an IPv6 address, ff02::1:ffXX:XXXX.
  static func group(of address: IPAddress) -> IPAddress {
    IPAddress(v6: 0xff02_0000_0000_0000_0000_0001_ff00_0000 | address.bits & 0xff_ffff)
  }

  /// Joins the group of `address`; as many calls of ``leave(_:on:)`` leave it. IPv4 addresses have none.
  ///
  /// Returns why it failed, which is counted and of no further consequence: there is nothing to leave then.
  @discardableResult func join(_ address: IPAddress, on index: CInt) -> Errno? {
    guard address.family == .v6 else { return nil }
    let membership = Membership(group: Self.group(of: address), index: index)
    if holdings[membership] != nil {
      holdings[membership]?.count += 1
      return nil
    }
    do {
      holdings[membership] = Holding(socket: try take(membership))
      return nil
    } catch {
      failures += 1
      return error
    }
  }

  /// Leaves the group of `address` once for a ``join(_:on:)`` that succeeded; does nothing for one that did not.
  @discardableResult func leave(_ address: IPAddress, on index: CInt) -> Errno? {
    guard address.family == .v6 else { return nil }
    let membership = Membership(group: Self.group(of: address), index: index)
    guard var holding = holdings[membership] else { return nil }
    holding.count -= 1
    guard holding.count == 0 else {
      holdings[membership] = holding
      return nil
    }
    holdings[membership] = nil
    let result = change(holding.socket, membership, join: false)
    if result != nil { failures += 1 }
    return result
  }

  private func take(_ membership: Membership) throws(Errno) -> Socket {
    if let latest {
      guard let error = change(latest, membership, join: true) else { return latest }
      // The memory that one socket may use for options is at its end (net.core.optmem_max).
      guard error.rawValue == ENOBUFS || error.rawValue == ENOMEM else { throw error }
    }
    let descriptor = clibnl_groups_open()
    guard descriptor >= 0 else { throw Errno(rawValue: -descriptor) }
    let socket = Socket(OwnedDescriptor(descriptor))
    if let error = change(socket, membership, join: true) { throw error }
    latest = socket
    return socket
  }

  private func change(_ socket: Socket, _ membership: Membership, join: Bool) -> Errno? {
    // Only as long as the call.
    let result = unsafe clibnl_group_change(
      socket.descriptor.rawValue, join ? 1 : 0, membership.group.networkBytes, membership.index)
    return result < 0 ? Errno(rawValue: -result) : nil
  }
}
