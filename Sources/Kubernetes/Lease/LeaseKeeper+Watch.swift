import HTTPTransport

extension LeaseKeeper {
  /// Longest line of a watch that is read, in bytes; etcd holds no larger objects.
  private static let longestLine = 2 << 20

  /// Watches the Lease until the task is cancelled, so that a release is seen at once. What it misses is read in time.
  func runWatch() async {
    while !Task.isCancelled {
      do throws(APIError) {
        // Without a version, a watch begins with what there is: none can be too old.
        let body = try await client.watch(settings.watchPath)
        setWatchProblem(nil)
        await read(body)
      } catch {
        setWatchProblem(error)
      }
      await clock.sleep(settings.retryPeriod)
    }
  }

  /// Reads events, one a line, until the stream ends, or says what is none.
  private func read(_ body: HTTPBody) async {
    var rest: [UInt8] = []
    while !Task.isCancelled, rest.count <= Self.longestLine, let chunk = try? await body.next() {
      rest += chunk
      var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      rest = Array(lines.removeLast())
      for line in lines where !line.isEmpty {
        guard let shown = LeaseWatchEvent(line: Array(line)) else { return }
        handle(.watched(shown.record))
      }
    }
  }
}

/// One line of a watch (meta/v1 WatchEvent) that tells of the Lease.
private struct LeaseWatchEvent {
  /// Nil where the Lease was deleted.
  let record: LeaseRecord?

  /// Nil for an error, such as that the server has forgotten the version (410), and for what is no event.
  init?(line: [UInt8]) {
    guard let event = try? JSONText.documents(line).first, let object = event["object"] else { return nil }
    switch event["type"]?.string {
    case "ADDED", "MODIFIED":
      guard let record = LeaseRecord.read(object) else { return nil }
      self.record = record
    case "DELETED": record = nil
    default: return nil
    }
  }
}
