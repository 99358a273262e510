import Addresses
import EventLoop
import TestKit

@testable import Announcing

/// The links and addresses of the calling thread's network namespace, as a ``LinkMonitor`` tells of them.
final class KernelView {
  let loop = EventLoop()
  private(set) var reports: [LinkMonitor.Report] = []
  private(set) var links: [CInt: Link] = [:]
  private(set) var isComplete = false
  private(set) var restarts = 0
  private(set) var monitor: LinkMonitor?
  private var driver: LoopDriver?

  /// Reads everything, unless `reads` is false.
  init(room: CInt = 1 << 20, reads: Bool = true) throws {
    driver = LoopDriver(loop)
    monitor = try LinkMonitor(loop: loop, room: room) { [unowned self] in receive($0) }
    if reads { try wait("the end of the dump") { $0.isComplete } }
  }

  private func receive(_ report: LinkMonitor.Report) {
    reports.append(report)
    switch report {
    case .complete: isComplete = true
    case .restarted:
      (links, isComplete) = ([:], false)
      restarts += 1
    case .event(.link(var link)):
      link.addresses = links[link.index]?.addresses ?? []
      links[link.index] = link
    case .event(.linkGone(let index)): links[index] = nil
    case .event(.address(let address, let index)):
      links[index]?.addresses.removeAll { $0.address == address.address && $0.prefixLength == address.prefixLength }
      links[index]?.addresses.append(address)
    case .event(.addressGone(let address, let prefixLength, let index)):
      links[index]?.addresses.removeAll { $0.address == address && $0.prefixLength == prefixLength }
    }
  }

  func link(_ name: String) -> Link? { links.values.first { $0.name == name } }

  /// Its index; throws when it is not there.
  func index(_ name: String) throws -> CInt {
    guard let link = link(name) else { throw TestFailure("no \(name) among \(links.values.map(\.name))") }
    return link.index
  }

  func address(_ address: IPAddress, on name: String) -> LinkAddress? {
    link(name)?.addresses.first { $0.address == address }
  }

  /// Turns the loop until `condition` holds.
  func wait(_ what: String, within span: Duration = .seconds(10), _ condition: @escaping (KernelView) throws -> Bool)
    throws
  {
    try driver?.drive(until: what, within: span) { [unowned self] in try condition(self) }
  }

  /// Turns the loop for a time in which something is not to happen.
  func pass(_ span: Duration) throws { try driver?.drive(for: span) }

  /// Ends the monitor.
  func end() { monitor = nil }
}
