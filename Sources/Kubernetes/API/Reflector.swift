import Balancing
import HTTPTransport

/// Follows all objects of one kind: lists them, watches from there, and tells a ``ClusterWatcher``, for ever.
///
/// ``ReflectorState`` decides what is next; this does it. Reading JSON happens in the reflector's own task; the watcher
/// is given what was read. Nothing is read from the server while the watcher takes it, so that a flood waits in the
/// server's socket.
struct Reflector: Sendable {
  let kind: ObjectKind
  let client: APIClient
  let clock: ClusterClock
  let random: RandomSource
  let watcher: ClusterWatcher

  /// Until the task is cancelled.
  func run() async {
    var state = ReflectorState(kind: kind, random: random)
    while !Task.isCancelled {
      switch state.next() {
      case .list(let path, let isFirst): await list(path, isFirst, &state)
      case .watch(let path): await watch(path, &state)
      case .wait(let seconds): await clock.sleep(seconds)
      }
    }
  }

  private func list(_ path: String, _ isFirst: Bool, _ state: inout ReflectorState) async {
    let page: ObjectPage
    do throws(WatchFailure) {
      page = try await Self.page(client, path, kind)
    } catch {
      guard !Task.isCancelled else { return }
      let isAbsence = state.isAbsence(error)
      // The token of a page grows old as a version does: that is no trouble of the server's.
      let isExpiry = error.isGone && !isFirst
      state.listFailed(error)
      if isAbsence { return await watcher.lacks(kind) }
      if !isExpiry { await watcher.failed(kind, error, "list") }
      return
    }
    let failure = state.listed(version: page.version, continuation: page.continuation)
    await watcher.take(page, of: kind, isFirst: isFirst, isLast: page.continuation == nil)
    if let failure { await watcher.failed(kind, failure, "list") }
  }

  // The bytes are gone before the page is given on.
  private static func page(
    _ client: APIClient, _ path: String, _ kind: ObjectKind
  ) async throws(WatchFailure) -> ObjectPage {
    let bytes: [UInt8]
    do throws(APIError) {
      bytes = try await client.get(path)
    } catch {
      throw .refused(error)
    }
    return try ObjectPage(bytes, of: kind)
  }

  private func watch(_ path: String, _ state: inout ReflectorState) async {
    let body: HTTPBody
    do throws(APIError) {
      body = try await client.watch(path)
    } catch {
      guard !Task.isCancelled else { return }
      state.watchRefused(.refused(error))
      if !error.isGone { await watcher.failed(kind, .refused(error), "watch") }
      return
    }
    let opened = clock.seconds()
    await watcher.opened(kind)
    let (end, words) = await follow(body, &state)
    guard !Task.isCancelled else { return }
    let hasWorked = state.watchEnded(end, lasted: clock.seconds() - opened)
    switch end {
    case .ended: if !hasWorked { await watcher.failed(kind, .broken(words), "watch") }
    case .failed(let failure): if !failure.isGone { await watcher.failed(kind, failure, "watch") }
    }
  }

  // Until the stream ends. All events of a chunk are told at once.
  private func follow(
    _ body: HTTPBody, _ state: inout ReflectorState
  ) async -> (end: ReflectorState.WatchEnd, words: String) {
    var lines = LineSplitter()
    while true {
      let chunk: [UInt8]?
      do throws(HTTPTransportError) {
        chunk = try await body.next()
      } catch {
        return (.ended, error.description)
      }
      guard let chunk else { return (.ended, "the server ended it at once") }
      let (events, failure) = read(lines.split(chunk))
      if let last = events.last {
        state.progressed(to: last.version)
        await watcher.take(events, of: kind)
      }
      if let failure { return (.failed(failure), "") }
      if lines.isTooLong { return (.failed(.malformed("a line of more than \(lines.limit) bytes")), "") }
      // A cancelled task's stream ends by itself, but need not do so before its bytes do.
      if Task.isCancelled { return (.ended, "") }
    }
  }

  private func read(_ lines: [[UInt8]]) -> (events: [WatchEvent], failure: WatchFailure?) {
    var events: [WatchEvent] = []
    events.reserveCapacity(lines.count)
    for line in lines {
      do throws(WatchFailure) {
        events.append(try WatchEvent(line, of: kind))
      } catch {
        return (events, error)
      }
    }
    return (events, nil)
  }
}
