import Glibc

/// The limit of open descriptors (RLIMIT_NOFILE, getrlimit(2)).
enum OpenFiles {
  /// What the program needs beside its connections.
  static let spare = 32

  /// Raises the soft limit to the hard one and returns what it then is.
  static func raised() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    return Int(clamping: unsafe setrlimit(resource, &limit) == 0 ? limit.rlim_cur : before)
  }
}
