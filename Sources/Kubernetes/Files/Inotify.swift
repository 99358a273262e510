import EventLoop
import Glibc

/// The inotify(7) calls, with their events as values.
enum Inotify {
  /// What happened to one name in a watched directory, or to the directory itself.
  struct Event {
    /// Which watch; -1 when events were lost.
    let watch: CInt
    let kind: Kind
    /// Empty when the directory itself is meant.
    let name: String
  }

  struct Kind: OptionSet {
    let rawValue: UInt32

    static let closedAfterWrite = Kind(rawValue: UInt32(IN_CLOSE_WRITE))
    static let attributes = Kind(rawValue: UInt32(IN_ATTRIB))
    static let created = Kind(rawValue: UInt32(IN_CREATE))
    static let movedFrom = Kind(rawValue: UInt32(IN_MOVED_FROM))
    static let movedTo = Kind(rawValue: UInt32(IN_MOVED_TO))
    static let deleted = Kind(rawValue: UInt32(IN_DELETE))
    static let deletedSelf = Kind(rawValue: UInt32(IN_DELETE_SELF))
    static let movedSelf = Kind(rawValue: UInt32(IN_MOVE_SELF))
    static let lost = Kind(rawValue: UInt32(IN_Q_OVERFLOW))
    static let ended = Kind(rawValue: UInt32(IN_IGNORED))
    static let directory = Kind(rawValue: UInt32(IN_ISDIR))

    /// For directories on the way to a manifest: names that come and go.
    static let way: Kind = [.created, .movedFrom, .movedTo, .deleted, .deletedSelf, .movedSelf]
    /// For directories that hold manifests. Never IN_MODIFY: a file half written is not read.
    static let contents: Kind = [.way, .closedAfterWrite, .attributes]
  }

  static func open() throws(Errno) -> OwnedDescriptor {
    try OwnedDescriptor(checking: inotify_init1(CInt(bitPattern: UInt32(O_NONBLOCK | O_CLOEXEC))))
  }

  /// Watches a directory; a second call for the same directory gives the same watch, and adds to it.
  static func add(_ descriptor: CInt, directory: String, _ kind: Kind) throws(Errno) -> CInt {
    let mask = kind.rawValue | UInt32(IN_ONLYDIR) | UInt32(IN_MASK_ADD)
    let watch = unsafe inotify_add_watch(descriptor, directory, mask)
    guard watch >= 0 else { throw .current }
    return watch
  }

  static func remove(_ descriptor: CInt, watch: CInt) { inotify_rm_watch(descriptor, watch) }

  /// All events that are there; empty when there are none.
  static func read(_ descriptor: CInt) -> [Event] {
    var events: [Event] = []
    // Room for many events, and always for one: a header and the longest name (inotify(7)).
    unsafe withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
      while true {
        let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        unsafe decode(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &events)
      }
    }
    return events
  }

  // struct inotify_event: wd, mask, cookie, len, then len bytes of name filled up with zeros.
  private static func decode(_ bytes: UnsafeRawBufferPointer, into events: inout [Event]) {
    let header = 16
    var offset = 0
    while offset + header <= bytes.count {
      let watch = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: CInt.self)
      let mask = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
      let length = Int(unsafe bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
      guard offset + header + length <= bytes.count else { return }
      let name = unsafe bytes[(offset + header)..<(offset + header + length)].prefix { $0 != 0 }
      unsafe events.append(Event(watch: watch, kind: Kind(rawValue: mask), name: String(decoding: name, as: UTF8.self)))
      offset += header + length
    }
  }
}
