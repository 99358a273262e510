import Addresses
import CLibEv
import EventLoop
import Glibc

/// Replies to datagrams, and counts those that want no reply. Lives on one loop.
final class UDPServer: EventHandler {
  private var watcher: ReadinessWatcher?
  private let batch = DatagramBatch()
  private let counts = DatagramCounts()
  /// How many slots the next call offers: about twice what came with the last one, for each costs a little.
  private var offered = 4

  // Enough for a burst while the process waits for its core; the system gives what it allows.
  private static let receiveBuffer: CInt = 32 << 20

  /// Binds to `address`. Throws what the system says. With `coalesces` the kernel hands over a flow's datagrams together
  /// where they came together (UDP_GRO).
  init(loop: EventLoop, on address: SocketAddress, coalesces: Bool) throws(Errno) {
    super.init()
    let socket = try OwnedDescriptor(checking: clinux_socket(address.family, Int32(SOCK_DGRAM.rawValue)))
    cdatagram_prepare(socket.rawValue, Self.receiveBuffer)
    if coalesces { cdatagram_coalesce(socket.rawValue) }
    if address.address.isUnspecified { cdatagram_tell_local(socket.rawValue, address.address.family == .v4 ? 4 : 6) }
    guard unsafe address.withSockaddr({ unsafe bind(socket.rawValue, $0, $1) }) == 0 else { throw .current }
    watcher = ReadinessWatcher(loop: loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  /// Where it is bound.
  var address: SocketAddress? { SocketAddress.local(of: watcher?.descriptor ?? -1) }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    let count = batch.receive(from: descriptor, most: offered)
    guard count > 0 else { return }
    offered = min(DatagramBatch.size, count &* 2 &+ 2)
    var first = 0
    for index in 0..<count where !makesReply(index) {
      reply(first..<index, descriptor)
      first = index &+ 1
    }
    reply(first..<count, descriptor)
  }

  private func reply(_ slots: Range<Int>, _ descriptor: CInt) {
    var rest = slots
    while !rest.isEmpty {
      let done = batch.reply(rest, on: descriptor)
      // One that cannot go is lost, as the client sees for itself.
      rest = min(rest.lowerBound &+ done &+ (done < rest.count ? 1 : 0), rest.upperBound)..<rest.upperBound
    }
  }

  /// Turns a request into its reply, in its slot; false when there is to be none.
  private func makesReply(_ index: Int) -> Bool {
    guard let header = batch.header(of: index) else { return false }
    if header.flags.contains(.asksForCount) {
      let (count, bytes) = counts.of(header.sequence)
      batch.write(count, bytes, to: index)
      return true
    }
    if header.replyLength == 0 {
      counts.add(header.sequence, batch.datagrams(in: index), bytes: batch.length(of: index))
      return false
    }
    guard header.replyLength >= UInt64(Header.size), header.replyLength <= UInt64(DatagramBatch.longest) else {
      return false
    }
    batch.setLength(Int(header.replyLength), of: index)
    return true
  }
}
