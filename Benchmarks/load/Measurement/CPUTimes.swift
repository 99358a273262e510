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

  /// The sum over a process's threads of the time on a core: the first field of schedstat, in nanoseconds.
  private static func process(_ pid: Int) throws(ValidationError) -> Double {
    guard let tasks = unsafe opendir("/proc/\(pid)/task") else {
      throw ValidationError("--watch-cpu \(pid): there is no such process")
    }
    defer { unsafe closedir(tasks) }
    var sum = 0.0
    while let entry = unsafe readdir(tasks) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.first != "." else { continue }
      // A thread that has just ended is left out.
      sum += Double(text("/proc/\(pid)/task/\(name)/schedstat").split(separator: " ").first ?? "0") ?? 0
    }
    return sum / 1e9
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
