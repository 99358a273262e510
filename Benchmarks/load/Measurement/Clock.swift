import Glibc

/// The monotonic clock, in nanoseconds. One call costs about 25 ns: it stays in the process (vdso(7)).
enum Clock {
  static var now: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
