import Glibc

/// The file of a listening unix socket, which it removes at its end if it is still the same one.
struct UnixSocketFile: ~Copyable {
  let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Remembers the file that bind(2) has made; nil when it is gone already.
  init?(boundAt path: String) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    self.path = path
    device = status.st_dev
    inode = status.st_ino
  }

  deinit {
    var status = stat()
    // Another process may have replaced it, and then the file is that one's.
    guard unsafe lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
    unsafe unlink(path)
  }
}
