import EventLoop
import Glibc

/// Watches the manifests of a ``ManifestLoader`` with inotify(7), and says what they are after each change.
///
/// ## Concurrency
///
/// Lives on one loop: made, used and released on its thread (see `LoopBound`). Reading files blocks that loop, so it
/// is not one of the packet path's. `deliver` is called on the loop's thread.
///
/// ## What is watched
///
/// Not files but directories: those that hold manifests, and those on the way to them, through symbolic links. So a
/// file may be replaced by rename, a directory removed and made again, and a mounted ConfigMap may swap its `..data`.
/// An edit reads that file only. File systems that tell inotify nothing (NFS written by another host) need
/// ``reload()``.
public final class ManifestWatcher: EventHandler {
  /// How long to wait for more events after the first, in seconds: editors and kubelets cause several.
  public static let settlingTime = 0.01

  private var loader: ManifestLoader
  private let deliver: @Sendable (ManifestSnapshot) -> Void
  private let loop: EventLoop
  // Both set in init, once there is a handler to give them.
  private var inotify: ReadinessWatcher?
  private var timer: TimerWatcher?

  private var plan = WatchPlan(paths: [])
  private var directories: [CInt: Set<String>] = [:]
  private var watchProblems: [ManifestProblem] = []

  // What the events so far have asked for, until the timer fires.
  private var pendingFiles: Set<String> = []
  private var isRescanPending = false
  private var isReloadPending = false
  private var rescansInARow = 0

  /// Reads everything, delivers it, and goes on watching. On the loop.
  ///
  /// Without inotify (no descriptor or watch left) it still reads, and a problem in the snapshot says so.
  public init(
    loop: EventLoop, paths: [String], deliver: @escaping @Sendable (ManifestSnapshot) -> Void
  ) {
    loader = ManifestLoader(paths: paths)
    self.deliver = deliver
    self.loop = loop
    super.init()
    timer = TimerWatcher(loop: loop, handler: self)
    do throws(Errno) {
      inotify = ReadinessWatcher(loop: loop, descriptor: try Inotify.open(), handler: self)
      inotify?.watch(.read)
    } catch {
      watchProblems = [Self.unwatched(paths.first ?? ".", error)]
    }
    reload()
  }

  /// Reads everything again, whether it has changed or not, and delivers it. For SIGHUP.
  public func reload() {
    pendingFiles = []
    isRescanPending = false
    isReloadPending = false
    // Watched before it is read, so that no change between the two is missed.
    watchPaths()
    var snapshot = loader.reload()
    if watchLinks(), let newer = loader.rescan() { snapshot = snapshot.followed(by: newer) }
    send(snapshot)
  }

  public override func ready(_ events: Readiness, on descriptor: CInt) {
    for event in Inotify.read(descriptor) { take(event) }
    let isPending = isReloadPending || isRescanPending || !pendingFiles.isEmpty
    // Counted from the first event: a file that is written all the time is still read.
    if isPending, timer?.isScheduled == false { timer?.schedule(after: Self.settlingTime) }
  }

  public override func timerFired() {
    // No event tells that there are descriptors again: the edit waits for them.
    guard hasDescriptor else { return timer?.schedule(after: Self.waitForDescriptors) ?? () }
    readPending()
    // They may have run out meanwhile, and what could not be read looks again.
    guard !hasDescriptor else { return }
    isReloadPending = true
    timer?.schedule(after: Self.waitForDescriptors)
  }

  private func readPending() {
    if isReloadPending { return reload() }
    if isRescanPending { return rescan() }
    let files = pendingFiles
    pendingFiles = []
    if let snapshot = loader.refresh(files) { send(snapshot) }
  }

  private static let waitForDescriptors = 0.5

  /// Whether the system has a descriptor to give (EMFILE, ENFILE).
  private var hasDescriptor: Bool {
    guard let descriptor = inotify?.descriptor else { return true }
    let probe = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard probe >= 0 else { return false }
    close(probe)
    return true
  }

  private func take(_ event: Inotify.Event) {
    if event.kind.contains(.lost) {
      isReloadPending = true
      return
    }
    // A watch that was taken away may still have events in the queue.
    guard let places = directories[event.watch] else { return }
    if event.kind.contains(.ended) { directories[event.watch] = nil }
    for directory in places {
      switch plan.meaning(of: event.kind, event.name, in: directory) {
      case .nothing: break
      case .files(let files): pendingFiles.formUnion(files)
      case .elsewhere: isRescanPending = true
      }
    }
  }

  private func rescan() {
    let files = pendingFiles
    let problems = watchProblems
    pendingFiles = []
    isRescanPending = false
    // A file that turns up in a new place may still be in the making; it is waited for, but not for ever.
    rescansInARow += 1
    let youngest = rescansInARow > 5 ? 0 : Self.settlingTime
    watchPaths()
    var snapshot = loader.rescan(sparing: youngest)
    if !files.isEmpty, let newer = loader.refresh(files) { snapshot = snapshot?.followed(by: newer) ?? newer }
    if watchLinks(), let newer = loader.rescan(sparing: youngest) { snapshot = snapshot?.followed(by: newer) ?? newer }
    if loader.hasSpared {
      isRescanPending = true
      timer?.schedule(after: Self.settlingTime)
    } else {
      rescansInARow = 0
    }
    if let snapshot { send(snapshot) } else if problems != watchProblems { send(loader.current()) }
  }

  private func send(_ snapshot: ManifestSnapshot) {
    var snapshot = snapshot
    snapshot.problems += watchProblems
    deliver(snapshot)
  }

  // MARK: Watches

  private func watchPaths() {
    plan = WatchPlan(paths: loader.paths)
    watchDirectories(isWhole: false)
  }

  // Whether there was anything more to watch than the paths themselves.
  private func watchLinks() -> Bool {
    let isMore = plan.add(files: loader.listedFiles)
    watchDirectories(isWhole: true)
    return isMore
  }

  // `isWhole`: the plan is complete, so that what it does not name is no longer watched.
  private func watchDirectories(isWhole: Bool) {
    guard let descriptor = inotify?.descriptor else { return }
    var wanted: [CInt: Set<String>] = [:]
    watchProblems = []
    for (directory, kind) in plan.directories {
      do throws(Errno) {
        wanted[try Inotify.add(descriptor, directory: directory, kind), default: []].insert(directory)
      } catch {
        // A directory on the way need not be readable, nor there: then the one above it tells when it comes.
        if kind.contains(.contents), FileSystem.isDirectory(directory) {
          watchProblems.append(Self.unwatched(directory, error))
        }
      }
    }
    if isWhole {
      for watch in directories.keys where wanted[watch] == nil { Inotify.remove(descriptor, watch: watch) }
      directories = wanted
    } else {
      directories.merge(wanted) { $0.union($1) }
    }
  }

  private static func unwatched(_ path: String, _ error: Errno) -> ManifestProblem {
    ManifestProblem(
      .warning, file: path, message: "cannot be watched (\(error)); edits are seen only on SIGHUP")
  }
}

extension ManifestSnapshot {
  // The later state, with the changes of both.
  fileprivate func followed(by newer: ManifestSnapshot) -> ManifestSnapshot {
    var result = newer
    result.changes.formUnion(changes)
    result.moved.formUnion(moved)
    result.affectedServices.formUnion(affectedServices)
    return result
  }
}
