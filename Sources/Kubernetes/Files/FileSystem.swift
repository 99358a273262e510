import EventLoop
import Glibc

/// The file system calls that reading and watching manifests needs.
enum FileSystem {
  /// What stands at a path, itself not followed.
  enum Entry {
    case missing
    case link(target: String)
    case other
  }

  /// What tells one state of a file from another without reading it.
  struct Signature: Hashable {
    private var device: UInt
    private var inode: UInt
    private var size: Int
    private var modified: [Int]

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    /// Whether the two are states of one file, which its writer may have open.
    func isSameFile(as other: Signature) -> Bool { device == other.device && inode == other.inode }
  }

  /// Why a file was not read.
  enum ReadError: Error {
    case system(Errno)
    case notAFile
    case tooLarge(limit: Int)

    var message: String {
      switch self {
      case .system(let errno): "cannot be read: \(errno)"
      case .notAFile: "is not a regular file"
      case .tooLarge(let limit): "is larger than \(limit >> 20) MiB"
      }
    }
  }

  static var workingDirectory: String {
    guard let text = unsafe getcwd(nil, 0) else { return "/" }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  static func look(_ path: String) -> Entry {
    let size = Int(PATH_MAX)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size + 1) { buffer in
      guard let base = buffer.baseAddress else { return .missing }
      // readlink(2) ends nothing with a zero; one byte is kept for it.
      let length = unsafe readlink(path, base, size)
      if length >= 0 {
        unsafe buffer[length] = 0
        return unsafe .link(target: String(cString: base))
      }
      return errno == EINVAL ? .other : .missing
    }
  }

  /// stat(2): follows links.
  static func status(_ path: String) throws(Errno) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw .current }
    return status
  }

  /// Whether a path leads to a directory; false where it leads nowhere.
  static func isDirectory(_ path: String) -> Bool { (try? status(path)).map { isDirectory($0) } ?? false }

  /// Whether a path leads anywhere.
  static func exists(_ path: String) -> Bool { (try? status(path)) != nil }

  static func isDirectory(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

  /// Seconds since the file was last written, by the system's clock.
  static func age(_ status: stat) -> Double {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec - status.st_mtim.tv_sec) + Double(now.tv_nsec - status.st_mtim.tv_nsec) / 1e9
  }

  /// Names in a directory, without `.` and `..`, in no order.
  static func names(in directory: String) throws(Errno) -> [String] {
    guard let stream = unsafe opendir(directory) else { throw .current }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    // The entry is valid until the next readdir(3) on this stream, which nobody else has.
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// A regular file's bytes, at most `limit` of them, and the state it was in.
  static func read(_ path: String, limit: Int) throws(ReadError) -> (bytes: [UInt8], signature: Signature) {
    // O_NONBLOCK: opening a FIFO must not wait for its writer.
    let result = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard result >= 0 else { throw .system(.current) }
    let descriptor = OwnedDescriptor(result)
    var status = stat()
    guard unsafe fstat(descriptor.rawValue, &status) == 0 else { throw .system(.current) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
    guard Int(status.st_size) <= limit else { throw .tooLarge(limit: limit) }
    var bytes: [UInt8] = []
    // One byte more than expected, so that the end is seen in two calls; files of /proc say 0.
    var room = max(Int(status.st_size) + 1, 4096)
    while true {
      let start = bytes.count
      var failure: Errno?
      unsafe bytes.append(addingCapacity: room) { (buffer: UnsafeMutableRawBufferPointer) -> Int in
        let count = unsafe Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
        if count < 0 { failure = .current }
        return max(count, 0)
      }
      if let failure {
        if failure.rawValue == EINTR { continue }
        throw .system(failure)
      }
      if bytes.count == start { return (bytes, Signature(status)) }
      guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
      room = 65536
    }
  }
}

extension [UInt8] {
  // Appends what `fill` wrote to the front of a buffer of `count` bytes.
  fileprivate mutating func append(
    addingCapacity count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
  ) {
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = unsafe fill(UnsafeMutableRawBufferPointer(buffer))
    }
    if isEmpty { self = chunk } else { append(contentsOf: chunk) }
  }
}
