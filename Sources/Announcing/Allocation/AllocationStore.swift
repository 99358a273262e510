import Glibc

/// Which Service has which address, kept on disk over restarts: the directory of `--state`.
///
/// The directory holds `allocations.json` and `lock`. The file is replaced as a whole (rename(2)) and is on disk when
/// ``save(_:)`` returns. A file that Roadstead did not write, or that is not whole, is refused and never overwritten,
/// neither at the start nor when it comes to be there later. Two processes cannot have one directory (flock(2)).
///
/// Not thread-safe: belongs to one owner. Its calls wait for the disk.
public final class AllocationStore {
  /// The file's name in the directory.
  public static let fileName = "allocations.json"
  private static let newName = "allocations.json.new"
  private static let lockName = "lock"

  public let directory: String
  /// What the file said when the store was opened; empty where there was none.
  public let restored: [ServiceName: [AddressAssignment]]

  private let directoryDescriptor: CInt
  private let lockDescriptor: CInt
  /// The file that was last read or written here; nil when there was none.
  private var known: FileIdentity?

  /// Opens the directory, makes it where its parent exists, locks it and reads the file.
  public init(directory: String) throws(AllocationStoreError) {
    self.directory = directory
    if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw Self.failure("make state directory", directory)
    }
    let directoryDescriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directoryDescriptor >= 0 else { throw Self.failure("open state directory", directory) }
    let lockDescriptor: CInt
    do throws(AllocationStoreError) {
      lockDescriptor = try Self.lock(directoryDescriptor, directory)
    } catch {
      close(directoryDescriptor)
      throw error
    }
    do throws(AllocationStoreError) {
      let (bytes, identity) = try Self.read(directoryDescriptor, directory)
      restored =
        try bytes.map { bytes throws(AllocationStoreError) in
          try AllocationFile.decode(bytes, path: Self.path(directory))
        } ?? [:]
      known = identity
    } catch {
      close(lockDescriptor)
      close(directoryDescriptor)
      throw error
    }
    self.directoryDescriptor = directoryDescriptor
    self.lockDescriptor = lockDescriptor
    // Left by a process that died while it wrote; the lock is ours.
    unsafe unlinkat(directoryDescriptor, Self.newName, 0)
  }

  deinit {
    close(lockDescriptor)
    close(directoryDescriptor)
  }

  /// Replaces what is kept; it is on disk when this returns. After an error the old file is whole.
  public func save(_ assignments: [ServiceName: [AddressAssignment]]) throws(AllocationStoreError) {
    try refuseForeign()
    let path = "\(directory)/\(Self.newName)"
    let bytes: [UInt8]
    do { bytes = try AllocationFile.encode(assignments) } catch {
      throw .system(doing: "encode", path: path, reason: "\(error)")
    }
    unsafe unlinkat(directoryDescriptor, Self.newName, 0)
    let descriptor = unsafe openat(
      directoryDescriptor, Self.newName, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600))
    guard descriptor >= 0 else { throw Self.failure("make", path) }
    defer { close(descriptor) }
    do throws(AllocationStoreError) {
      try Self.write(bytes, descriptor, path)
      guard fsync(descriptor) == 0 else { throw Self.failure("sync", path) }
      guard unsafe renameat(directoryDescriptor, Self.newName, directoryDescriptor, Self.fileName) == 0 else {
        throw Self.failure("replace", Self.path(directory))
      }
    } catch {
      unsafe unlinkat(directoryDescriptor, Self.newName, 0)
      throw error
    }
    known = FileIdentity(descriptor)
    guard fsync(directoryDescriptor) == 0 else { throw Self.failure("sync state directory", directory) }
  }

  /// Throws when the file is no longer the one that was read or written last, and is not a whole one of ours either.
  private func refuseForeign() throws(AllocationStoreError) {
    if let known, FileIdentity(directoryDescriptor, Self.fileName) == known { return }
    let (bytes, identity) = try Self.read(directoryDescriptor, directory)
    if let bytes { _ = try AllocationFile.decode(bytes, path: Self.path(directory)) }
    known = identity
  }

  private static func path(_ directory: String) -> String { "\(directory)/\(fileName)" }

  private static func failure(_ doing: String, _ path: String) -> AllocationStoreError {
    .system(doing: doing, path: path, reason: systemText(errno))
  }

  private static func systemText(_ number: CInt) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
  }

  /// Takes the lock, without waiting, and leaves the process's id in it.
  private static func lock(_ directoryDescriptor: CInt, _ directory: String) throws(AllocationStoreError) -> CInt {
    let path = "\(directory)/\(lockName)"
    let descriptor = unsafe openat(directoryDescriptor, lockName, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o600))
    guard descriptor >= 0 else { throw failure("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      defer { close(descriptor) }
      guard errno == EWOULDBLOCK else { throw failure("lock", path) }
      let holder = (try? contents(descriptor, path)) ?? []
      let digits = holder.prefix(10).prefix { (48...57).contains($0) }
      throw .inUse(directory: directory, process: String(decoding: digits, as: UTF8.self))
    }
    // Only for people to read: that it fails does no harm.
    if ftruncate(descriptor, 0) == 0 { try? write(Array("\(getpid())\n".utf8), descriptor, path) }
    return descriptor
  }

  /// The file's bytes; nil where there is no file. Of a foreign file only the start.
  private static func read(
    _ directoryDescriptor: CInt, _ directory: String
  ) throws(AllocationStoreError) -> ([UInt8]?, FileIdentity?) {
    let path = path(directory)
    let descriptor = unsafe openat(directoryDescriptor, fileName, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      if errno == ENOENT { return (nil, nil) }
      throw failure("open", path)
    }
    defer { close(descriptor) }
    guard let identity = FileIdentity(descriptor), identity.isRegular else { throw .foreign(path: path) }
    return (try contents(descriptor, path), identity)
  }

  private static func contents(_ descriptor: CInt, _ path: String) throws(AllocationStoreError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("read", path)
      }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      // Enough to know that it is not ours, however large it is.
      if !bytes.starts(with: AllocationFile.magic.utf8.prefix(bytes.count)) { return bytes }
    }
  }

  private static func write(_ bytes: [UInt8], _ descriptor: CInt, _ path: String) throws(AllocationStoreError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("write", path)
      }
      rest = rest.dropFirst(count)
    }
  }
}

/// What tells one file, and one state of it, from another (fstat(2)).
private struct FileIdentity: Equatable {
  private let device: UInt
  private let inode: UInt
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int
  let isRegular: Bool

  /// Nil when the file cannot be looked at.
  init?(_ descriptor: CInt) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Nil when there is no such file.
  init?(_ directory: CInt, _ name: String) {
    var status = stat()
    guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    size = Int(status.st_size)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
    isRegular = status.st_mode & S_IFMT == S_IFREG
  }
}
