import Histogram

/// How long requests took, in nanoseconds, to 3 digits.
struct Latency {
  // 100 s at most: no request is waited for as long.
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: 100_000_000_000, numberOfSignificantValueDigits: .three)
  private var least = UInt64.max
  private var most: UInt64 = 0
  /// Requests that left over 1 ms after they were due, with a connection free all the while.
  var late = 0
  /// Requests that had to wait for a connection.
  var queued = 0

  @inline(__always) mutating func record(_ nanoseconds: UInt64) {
    histogram.record(nanoseconds)
    if nanoseconds < least { least = nanoseconds }
    if nanoseconds > most { most = nanoseconds }
  }

  /// `null` when nothing was recorded.
  var json: String {
    guard most > 0 else { return "null" }
    let percentiles = [50, 90, 99, 99.9].map { percentile in
      let name = percentile == 99.9 ? "p99.9" : "p\(Int(percentile))"
      return "\"\(name)\": \(min(histogram.valueAtPercentile(percentile), most))"
    }
    return "{\"unit\": \"ns\", \"min\": \(least), \(percentiles.joined(separator: ", ")), \"max\": \(most), "
      + "\"late\": \(late), \"queued\": \(queued)}"
  }
}
