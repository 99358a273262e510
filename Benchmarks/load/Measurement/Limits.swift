/// How long a run takes, and how much.
struct Limits {
  /// Seconds of the counted window; endless for a run that is ended from outside.
  var seconds = 5.0
  /// Units of the counted window, when it ends by them.
  var count: Int?
  /// Seconds of load before the window.
  var warmUp = 0.0
  /// The processes whose CPU time is told.
  var watched: [Int] = []
}
