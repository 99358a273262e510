/// What the process tells its parent at the end.
enum ExitStatus: Int32 {
  case fine = 0
  /// What was read is wrong: a manifest, a name.
  case input = 1
  /// The command line is wrong.
  case usage = 2
  /// The system, or another process, refused.
  case system = 3
}

/// Ends a command with one line on standard error.
struct CommandFailure: Error, CustomStringConvertible {
  let status: ExitStatus
  /// One line for people, without the program's name.
  let description: String

  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
