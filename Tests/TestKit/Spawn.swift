import Glibc

/// posix_spawn(3) with the given ends as standard output and error, an empty input, and clean signals.
func spawn(
  _ executable: String, _ arguments: [String], _ extra: [String: String], output: CInt, error: CInt
) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
  unsafe posix_spawn_file_actions_adddup2(&actions, error, 2)

  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  unsafe posix_spawnattr_setsigmask(&attributes, &signals)
  unsafe sigfillset(&signals)
  unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
  unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  let words = unsafe CStrings([executable] + arguments)
  let variables = unsafe CStrings(currentEnvironment(with: extra))
  var pid: pid_t = 0
  let result = unsafe posix_spawnp(&pid, executable, &actions, &attributes, words.pointers, variables.pointers)
  guard result == 0 else { throw TestFailure("cannot start \(executable): \(errorText(result))") }
  return pid
}

private func currentEnvironment(with extra: [String: String]) -> [String] {
  var all: [String] = []
  var entry = unsafe environ
  while let text = unsafe entry.pointee {
    let variable = unsafe String(cString: text)
    if extra[String(variable.prefix { $0 != "=" })] == nil { all.append(variable) }
    unsafe entry += 1
  }
  return all + extra.map { "\($0.key)=\($0.value)" }
}

/// A null-terminated array of C strings, as execve(2) wants them; freed with the object.
@unsafe private final class CStrings {
  let pointers: [UnsafeMutablePointer<CChar>?]

  init(_ strings: [String]) { unsafe pointers = strings.map { unsafe strdup($0) } + [nil] }

  deinit { unsafe pointers.forEach { unsafe free($0) } }
}

/// The pids that this test process started and has not reaped; killed when it exits.
final class LivingChildren: Sendable {
  static let shared = LivingChildren()
  private let pids = Monitor<Set<pid_t>>([])

  private init() {
    atexit { LivingChildren.shared.killAll() }
  }

  func add(_ pid: pid_t) { _ = pids.update { $0.insert(pid) } }

  func remove(_ pid: pid_t) { _ = pids.update { $0.remove(pid) } }

  private func killAll() { pids.update { for pid in $0 { kill(pid, SIGKILL) } } }
}
