import Admin
import Glibc

extension AdminState.Limits {
  /// What the machine allows this process.
  static func current(shards: Int?, udpFlows: UInt64? = nil) -> AdminState.Limits {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return Self(shards: shards)
    }
    // Two descriptors a connection, and some for the process itself.
    let open = UInt64(limit.rlim_cur)
    return Self(shards: shards, openFiles: open, connections: open > 64 ? (open - 64) / 2 : 0, udpFlows: udpFlows)
  }
}
