import ArgumentParser
import Glibc

/// CPU seconds since some beginning: of watched processes, of this one, of the machine.
struct CPUTimes {
  private var watched: [(pid: Int, seconds: Double)] = []
  private var own = 0.0
  private var machine = 0.0

  /// Reads them now; throws when a process is gone.
  static func read(watching pids: [Int]) throws(ValidationError) -> CPUTimes {
    var times = CPUTimes()
    for pid in pids { times.watched.append((pid, try process(pid))) }
    var now = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    times.own = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    times.machine = machine()
    return times
  }

  /// The watched processes that have used nothing since.
  func idle(since earlier: CPUTimes) -> [Int] {
    zip(watched, earlier.watched).filter { $0.seconds <= $1.seconds }.map { $0.0.pid }
  }

  /// What was used between `earlier` and this, as JSON.
  func json(since earlier: CPUTimes) -> String {
    let watched = zip(watched, earlier.watched).map { "\"\($0.pid)\": \(JSON.seconds($0.seconds - $1.seconds))" }
    return "{\"watched\": {\(watched.joined(separator: ", "))}, \"own\": \(JSON.seconds(own - earlier.own)), "
      + "\"machine\": \(JSON.seconds(machine - earlier.machine))}"
  }

  /// What a process's threads have had of cores, those that have ended included, in nanoseconds of the kernel.
  ///
  /// Its clock is one that every process may read (clock_getcpuclockid(3)).
  private static func process(_ pid: Int) throws(ValidationError) -> Double {
    var clock: clockid_t = 0
    var time = timespec()
    // 0 would be this process, and what is above the kernel's greatest pid (proc_sys_kernel(5)) some other one.
    guard (1...4_194_304).contains(pid), unsafe clock_getcpuclockid(pid_t(pid), &clock) == 0,
      unsafe clock_gettime(clock, &time) == 0
    else { throw ValidationError("--watch-cpu \(pid): there is no such process") }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Everything but idle and iowait, of all cores (proc_stat(5)).
  private static func machine() -> Double {
    let line = text("/proc/stat").prefix { $0 != "\n" }
    let fields = line.split(separator: " ").dropFirst().prefix(8).map { Double($0) ?? 0 }
    guard fields.count == 8 else { return 0 }
    let busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]
    return busy / Double(sysconf(CInt(_SC_CLK_TCK)))
  }

  /// The beginning of a small file; empty when it cannot be read.
  private static func text(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}
