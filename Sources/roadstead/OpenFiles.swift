import Glibc

/// The limit of open descriptors (RLIMIT_NOFILE, getrlimit(2)).
enum OpenFiles {
  /// Raises the soft limit to the hard one and returns what it then is.
  static func raised() -> UInt64 {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    return unsafe setrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_cur) : UInt64(before)
  }
}
