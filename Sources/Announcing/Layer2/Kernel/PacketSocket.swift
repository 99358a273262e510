import CLibNl
import EventLoop
import Glibc

/// Receives and sends the frames of one protocol on all interfaces (packet(7)). Loop only, including its end.
///
/// Frames for other hosts, and those that this host sends, are not received.
@safe final class PacketSocket: EventHandler {
  /// Which frames are received. Any may be sent.
  enum Frames: Sendable {
    case arp
    /// Neighbour solicitations and advertisements whose ICMPv6 header follows the IPv6 header directly (RFC 4861).
    case neighbourDiscovery
  }

  /// What came so far.
  struct Counts: Hashable, Sendable {
    var received: UInt64 = 0
    /// Those the kernel had no room for.
    var dropped: UInt64 = 0
  }

  /// After so many frames others get their turn.
  static let framesPerTurn = 64
  /// Longer frames are cut: what matters is in the first hundred bytes.
  static let longestFrame = 2048

  private let onFrame: (Span<UInt8>, CInt) -> Void
  // Allocated in init, freed in deinit.
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  private var watcher: ReadinessWatcher?
  /// The watcher's.
  private let descriptor: CInt
  private var total = Counts()

  /// `onFrame` is called on the loop with an Ethernet frame, which is gone after the call, and the index of the
  /// interface that it came in by. It may let go of the socket by ``EventLoop/EventLoop/retire(_:)`` only.
  init(
    loop: EventLoop, _ frames: Frames, onFrame: @escaping (Span<UInt8>, CInt) -> Void
  ) throws(AnnouncementObstacle) {
    self.onFrame = onFrame
    descriptor = clibnl_packet_open(frames == .arp ? CLIBNL_ARP : CLIBNL_NEIGHBOUR_DISCOVERY)
    guard descriptor >= 0 else {
      throw AnnouncementObstacle(Errno(rawValue: -descriptor), capability: "CAP_NET_RAW")
    }
    unsafe buffer = .allocate(capacity: Self.longestFrame)
    unsafe buffer.initialize(repeating: 0)
    super.init()
    watcher = ReadinessWatcher(loop: loop, descriptor: OwnedDescriptor(descriptor), handler: self)
    watcher?.watch(.read)
  }

  deinit { unsafe buffer.deallocate() }

  /// Sends an Ethernet frame, header included, on an interface. Does not wait: a full queue is a failure.
  func send(_ frame: [UInt8], on index: CInt) throws(AnnouncementObstacle) {
    // Only as long as the call.
    let result = unsafe clibnl_packet_send(descriptor, frame, frame.count, index)
    switch -result {
    case ...0: return
    case ENETDOWN: throw .unusableInterface(interfaceName(index), .isDown)
    case ENXIO, ENODEV: throw .noSuchInterface(interfaceName(index))
    default: throw AnnouncementObstacle(Errno(rawValue: -result), capability: "CAP_NET_RAW")
    }
  }

  /// What came so far; asks the kernel.
  func counts() -> Counts {
    var dropped: UInt32 = 0
    if unsafe clibnl_packet_drops(descriptor, &dropped) == 0 { total.dropped += UInt64(dropped) }
    return total
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    for _ in 0..<Self.framesPerTurn {
      var index: CInt = 0
      let length = unsafe clibnl_packet_receive(descriptor, buffer.baseAddress, buffer.count, &index)
      if length == 0 { continue }
      // Mostly EAGAIN; another error is the socket's, which reading it has cleared.
      if length < 0 { return }
      total.received += 1
      // The socket lives through the turn, and so does its buffer.
      onFrame(unsafe UnsafeBufferPointer(rebasing: buffer[..<length]).span, index)
    }
  }
}
