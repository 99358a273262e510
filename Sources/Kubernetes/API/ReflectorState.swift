import Balancing

/// What to do next to follow the objects of one kind: list, watch, or wait. Pure: what happened in, an action out.
///
/// As client-go's reflector does it, with back-off kept per kind:
///
/// | while | what happens | next |
/// |---|---|---|
/// | listing | a page that is not the last | its next page |
/// | listing | the last page | watch from the list's version |
/// | listing | 410 for a page's token | at once: list anew, in one page |
/// | listing | 404 for a custom resource | wait 30 s, list |
/// | listing | anything else | back off, list anew |
/// | watching | an event or a bookmark | go on; its version is the last seen |
/// | watching | the server ends it, or it breaks or falls silent | at once: watch from the last seen version |
/// | watching | the same within 1 s, without a newer version | back off, watch |
/// | watching | 410, as a status or as an ERROR event | at once: list anew; the second time in a row backs off |
/// | watching | refused with 429, or out of reach | back off, watch |
/// | watching | another refusal, ERROR event, or nonsense | back off, list anew |
///
/// The back-off begins anew once a watch has ended well, or has run longer than the longest back-off.
///
/// The version 0 is never asked for: it would mean any state, as old as the server's cache has it.
struct ReflectorState: Sendable {
  /// What the reflector is to do.
  enum Action: Hashable, Sendable {
    /// Get a page. The first one of a list begins the list anew.
    case list(path: String, isFirst: Bool)
    case watch(path: String)
    case wait(seconds: Double)
  }

  /// How a watch that was accepted ended.
  enum WatchEnd: Hashable, Sendable {
    /// By the server, or broken, or silent: nothing is wrong with what came.
    case ended
    case failed(WatchFailure)
  }

  private enum Step: Hashable {
    case list(continuation: String?)
    case watch
  }

  /// Objects per page.
  static let pageSize = 500
  /// How long until a kind that the cluster does not know is asked for again, in seconds.
  static let absentTime = 30.0
  /// A watch that ends sooner and brings nothing has not worked, in seconds.
  static let shortestWatch = 1.0

  let kind: ObjectKind
  /// The version to watch from; nil before the first list.
  private(set) var version: String?
  private var step = Step.list(continuation: nil)
  private var isPaged = true
  // To be waited before the step.
  private var delay: Double?
  private var backoff: Backoff
  // Of the watch that runs, where it began.
  private var firstVersion: String?

  init(kind: ObjectKind, random: RandomSource) {
    self.kind = kind
    backoff = Backoff(random: random)
  }

  /// What to do now. Asking for a wait ends it: the next action follows.
  mutating func next() -> Action {
    if let delay {
      self.delay = nil
      return .wait(seconds: delay)
    }
    switch step {
    case .list(let continuation):
      var path = kind.path
      if isPaged { path += "?limit=\(Self.pageSize)" }
      if let continuation { path += "&continue=\(QueryText.encoded(continuation))" }
      return .list(path: path, isFirst: continuation == nil)
    case .watch:
      firstVersion = version
      return .watch(
        path: "\(kind.path)?watch=1&allowWatchBookmarks=true&resourceVersion=\(QueryText.encoded(version ?? ""))"
          + "&timeoutSeconds=\(backoff.watchTime())")
    }
  }

  /// A page came. Returns what is wrong with it where it leads nowhere, which was counted as a failure.
  mutating func listed(version: String, continuation: String?) -> WatchFailure? {
    let isFirst: Bool
    if case .list(continuation: nil) = step { isFirst = true } else { isFirst = false }
    // The first page's: should later ones be newer, then what they hold is only told again.
    if isFirst { self.version = version }
    guard let continuation else {
      step = .watch
      isPaged = true
      return nil
    }
    guard isPaged, step != .list(continuation: continuation) else {
      let failure = WatchFailure.malformed("a list whose next page is itself")
      listFailed(failure)
      return failure
    }
    step = .list(continuation: continuation)
    return nil
  }

  /// A list, or a page of it, did not come.
  mutating func listFailed(_ failure: WatchFailure) {
    if failure.isGone, case .list(continuation: .some) = step {
      isPaged = false
      step = .list(continuation: nil)
      return
    }
    step = .list(continuation: nil)
    isPaged = true
    delay = isAbsence(failure) ? Self.absentTime : backoff.delay(retryAfter: failure.retryAfter)
  }

  /// Whether it means that the cluster does not know the kind, and need not.
  func isAbsence(_ failure: WatchFailure) -> Bool {
    guard case .refused(let error) = failure, case .list = step else { return false }
    return error.isNotFound && !kind.isCore
  }

  /// An event or a bookmark came.
  mutating func progressed(to version: String) { self.version = version }

  /// The server did not accept a watch.
  mutating func watchRefused(_ failure: WatchFailure) {
    // Out of reach, or too busy: no reason to make it list everything for everybody. A server that is silent instead
    // may have been set back, and not have reached the version: that it will never tell.
    if case .refused(let error) = failure, error.code == 429 || (error.code == 0 && !error.isSilence) {
      delay = backoff.delay(retryAfter: error.retryAfter)
    } else {
      relist(failure)
    }
  }

  /// A watch that was accepted ended `lasted` seconds later.
  ///
  /// - Returns: whether it had worked at all.
  @discardableResult
  mutating func watchEnded(_ end: WatchEnd, lasted: Double) -> Bool {
    let hasWorked = version != firstVersion || lasted >= Self.shortestWatch
    switch end {
    case .ended:
      if hasWorked { backoff.reset() } else { delay = backoff.delay() }
    case .failed(let failure):
      if lasted > Backoff.longest { backoff.reset() }
      if case .refused(let error) = failure, error.code == 429 {
        delay = backoff.delay(retryAfter: error.retryAfter)
      } else {
        relist(failure)
      }
    }
    return hasWorked
  }

  private mutating func relist(_ failure: WatchFailure) {
    step = .list(continuation: nil)
    let isFirst = backoff.failures == 0
    let wait = backoff.delay(retryAfter: failure.retryAfter)
    // A version grows old where little happens: that is no trouble of the server's.
    delay = failure.isGone && isFirst ? nil : wait
  }
}
