import Glibc

/// Raises this process's limit of open descriptors to at least `count`; false where the hard limit forbids it.
///
/// Children started later inherit the limit.
public func raiseDescriptorLimit(to count: Int) -> Bool {
  var limit = rlimit()
  unsafe getrlimit(__rlimit_resource_t(7), &limit)
  if limit.rlim_cur >= rlim_t(count) { return true }
  limit.rlim_cur = rlim_t(count)
  guard limit.rlim_max >= limit.rlim_cur else { return false }
  return unsafe setrlimit(__rlimit_resource_t(7), &limit) == 0
}
