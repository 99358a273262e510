import EventLoop
import Foundation
import Synchronization
import Testing

@testable import Kubernetes

/// What a watcher has delivered; can be waited for with a deadline.
private final class Deliveries: Sendable {
  private let snapshots = Mutex<[ManifestSnapshot]>([])
  private let arrived = DispatchSemaphore(value: 0)

  func append(_ snapshot: ManifestSnapshot) {
    snapshots.withLock { $0.append(snapshot) }
    arrived.signal()
  }

  var count: Int { snapshots.withLock { $0.count } }
  var last: ManifestSnapshot? { snapshots.withLock { $0.last } }

  /// False after `seconds` without the newest snapshot being as wanted. One waiter at a time.
  func wait(_ seconds: Double, _ isWanted: (ManifestSnapshot) -> Bool) -> Bool {
    let deadline = DispatchTime.now() + seconds
    repeat {
      if let last, isWanted(last) { return true }
    } while arrived.wait(timeout: deadline) == .success
    return false
  }
}

/// A watcher on a loop of its own.
private final class Watch: Sendable {
  private let thread: LoopThread
  private let deliveries: Deliveries
  let watcher: LoopBound<ManifestWatcher>

  init(_ paths: [String]) throws {
    let deliveries = Deliveries()
    self.deliveries = deliveries
    thread = try LoopThread(name: "watch")
    watcher = LoopBound(thread.loop) { loop in
      ManifestWatcher(loop: loop, paths: paths) { deliveries.append($0) }
    }
  }

  /// Waits until the newest snapshot is as wanted; how long that took.
  @discardableResult
  func wait(_ what: String, within seconds: Double = 5, _ isWanted: (ManifestSnapshot) -> Bool) -> Duration {
    let started = ContinuousClock.now
    if !deliveries.wait(seconds, isWanted) {
      let problems = deliveries.last?.problems.map(\.description) ?? []
      Issue.record("not seen in time: \(what); the last problems: \(problems)")
    }
    return ContinuousClock.now - started
  }

  func waitForPort(_ port: UInt16, of name: String = "web", within seconds: Double = 5) -> Duration {
    wait("port \(port) of \(name)", within: seconds) {
      $0.store.services[NamespacedName(name: name)]?.object.spec.ports[0].port == port
    }
  }

  var count: Int { deliveries.count }

  /// Everything submitted before has run.
  func settle() {
    let done = DispatchSemaphore(value: 0)
    watcher.submit { _ in done.signal() }
    #expect(done.wait(timeout: .now() + 5) == .success)
  }

  deinit { thread.stopAndJoin() }
}

@Suite(.timeLimit(.minutes(1)), .serialized) struct ManifestWatcherTests {
  @Test func `an edit in place is seen`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("web.yaml", serviceText("web", port: 1))
    let watch = try Watch([directory.path])
    _ = watch.waitForPort(1)
    try directory.write("web.yaml", serviceText("web", port: 2))
    let time = watch.waitForPort(2)
    print("edit seen after \(time)")
    try directory.write("web.yaml", "{")
    watch.wait("the syntax error") { $0.problems.count == 1 }
    _ = watch.waitForPort(2)
  }

  @Test func `files come, go, and are replaced by rename`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("web.yaml", serviceText("web", port: 1))
    let watch = try Watch([directory.path])
    _ = watch.waitForPort(1)
    try directory.write(".web.swp", serviceText("web", port: 2))
    directory.rename(".web.swp", "web.yaml")
    _ = watch.waitForPort(2)
    // vim: the old one is moved away, a new one is written.
    directory.rename("web.yaml", "web.yaml~")
    try directory.write("web.yaml", serviceText("web", port: 3))
    _ = watch.waitForPort(3)
    try directory.write("db.yaml", serviceText("db", port: 4))
    _ = watch.waitForPort(4, of: "db")
    try directory.remove("web.yaml")
    watch.wait("web gone") { $0.store.services.keys.map(\.name) == ["db"] }
    directory.rename("db.yaml", "db.txt")
    watch.wait("db gone") { $0.store.count == 0 }
  }

  @Test func `a single file is watched among others of its directory`() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("web.yaml", serviceText("web", port: 1))
    let watch = try Watch([path])
    _ = watch.waitForPort(1)
    watch.settle()
    let count = watch.count
    try directory.write("other.yaml", serviceText("other"))
    try directory.remove("web.yaml")
    watch.wait("web.yaml missing") { !$0.problems.isEmpty && $0.store.services.count == 1 }
    #expect(watch.count == count + 1)
    try directory.write("web.yaml", serviceText("web", port: 2))
    _ = watch.waitForPort(2)
  }

  @Test func `a file that is not there yet is read when it comes, directories and all`() throws {
    let directory = try TemporaryDirectory()
    let watch = try Watch([directory.path + "/a/b/web.yaml", directory.path + "/c/d"])
    watch.wait("both missing") { $0.problems.count == 2 }
    try directory.makeDirectory("a")
    try directory.makeDirectory("a/b")
    try directory.write("a/b/web.yaml", serviceText("web", port: 1))
    try directory.makeDirectory("c/d")
    try directory.write("c/d/db.yaml", serviceText("db", port: 1))
    _ = watch.waitForPort(1)
    _ = watch.waitForPort(1, of: "db")
    watch.wait("no problems") { $0.problems.isEmpty }
    try directory.write("c/d/db.yaml", serviceText("db", port: 2))
    _ = watch.waitForPort(2, of: "db")
  }

  @Test func `a mounted ConfigMap swaps its data`() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("conf/..2026_01")
    try directory.write("conf/..2026_01/web.yaml", serviceText("web", port: 1))
    try directory.link("conf/..data", to: "..2026_01")
    try directory.link("conf/web.yaml", to: "..data/web.yaml")
    // By its directory and by a link to it, as a single file.
    try directory.link("single.yaml", to: "conf/web.yaml")
    let watch = try Watch([directory.path + "/conf"])
    let single = try Watch([directory.path + "/single.yaml"])
    _ = watch.waitForPort(1)
    _ = single.waitForPort(1)
    for round in 2...5 {
      let name = "conf/..2026_0\(round)"
      try directory.makeDirectory(name)
      try directory.write("\(name)/web.yaml", serviceText("web", port: round))
      try directory.link("conf/..data_tmp", to: "..2026_0\(round)")
      directory.rename("conf/..data_tmp", "conf/..data")
      try directory.remove("conf/..2026_0\(round - 1)")
      let time = watch.waitForPort(UInt16(round))
      print("ConfigMap swap seen after \(time)")
      _ = single.waitForPort(UInt16(round))
    }
    // A key more: the data first, then its link.
    try directory.makeDirectory("conf/..2026_06")
    try directory.write("conf/..2026_06/web.yaml", serviceText("web", port: 6))
    try directory.write("conf/..2026_06/db.yaml", serviceText("db", port: 6))
    try directory.link("conf/..data_tmp", to: "..2026_06")
    directory.rename("conf/..data_tmp", "conf/..data")
    try directory.link("conf/db.yaml", to: "..data/db.yaml")
    _ = watch.waitForPort(6, of: "db")
  }

  @Test func `a directory is removed and made again, moved away and replaced`() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("conf")
    try directory.write("conf/web.yaml", serviceText("web", port: 1))
    let watch = try Watch([directory.path + "/conf"])
    _ = watch.waitForPort(1)
    try directory.remove("conf")
    watch.wait("conf gone") { $0.problems.contains { $0.message.contains("is kept") } && $0.store.count == 1 }
    try directory.makeDirectory("conf")
    try directory.write("conf/web.yaml", serviceText("web", port: 2))
    _ = watch.waitForPort(2)
    try directory.write("conf/web.yaml", serviceText("web", port: 3))
    _ = watch.waitForPort(3)
    try directory.makeDirectory("next")
    try directory.write("next/web.yaml", serviceText("web", port: 4))
    directory.rename("conf", "old")
    directory.rename("next", "conf")
    _ = watch.waitForPort(4)
    try directory.write("old/web.yaml", serviceText("web", port: 9))
    try directory.write("conf/web.yaml", serviceText("web", port: 5))
    _ = watch.waitForPort(5)
  }

  @Test func `a directory reached through a link follows the link`() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("v1")
    try directory.makeDirectory("v2")
    try directory.write("v1/web.yaml", serviceText("web", port: 1))
    try directory.write("v2/web.yaml", serviceText("web", port: 2))
    try directory.link("conf", to: "v1")
    let watch = try Watch([directory.path + "/conf/"])
    _ = watch.waitForPort(1)
    try directory.link("conf.new", to: "v2")
    directory.rename("conf.new", "conf")
    _ = watch.waitForPort(2)
    try directory.write("v2/web.yaml", serviceText("web", port: 3))
    _ = watch.waitForPort(3)
  }

  @Test func `links and hard links into a directory are read`() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("conf")
    try directory.makeDirectory("data")
    try directory.write("data/web.yaml", serviceText("web", port: 1))
    try directory.write("data/db.yaml", serviceText("db", port: 1))
    let watch = try Watch([directory.path + "/conf"])
    watch.wait("nothing yet") { $0.store.count == 0 }
    try directory.link("conf/web.yaml", to: "../data/web.yaml")
    _ = watch.waitForPort(1)
    try FileManager.default.linkItem(atPath: directory.path + "/data/db.yaml", toPath: directory.path + "/conf/db.yaml")
    _ = watch.waitForPort(1, of: "db")
    // The link's target is edited where it is.
    try directory.write("data/web.yaml", serviceText("web", port: 2))
    _ = watch.waitForPort(2)
    try directory.remove("data/web.yaml")
    watch.wait("the link leads nowhere") { $0.problems.contains { $0.message.contains("No such file") } }
    try directory.write("data/web.yaml", serviceText("web", port: 3))
    _ = watch.waitForPort(3)
  }

  @Test func `a file whose permissions are mended is read`() throws {
    guard getuid() != 0 else {
      print("skipped: root may read everything")
      return
    }
    let directory = try TemporaryDirectory()
    let path = try directory.write("web.yaml", serviceText("web", port: 1))
    #expect(unsafe chmod(path, 0) == 0)
    let watch = try Watch([directory.path])
    watch.wait("no permission") { $0.problems.contains { $0.message.contains("Permission denied") } }
    #expect(unsafe chmod(path, 0o600) == 0)
    _ = watch.waitForPort(1)
  }

  @Test func `a lost queue of events is made up for`() throws {
    let directory = try TemporaryDirectory()
    let limit =
      (try? String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8))
      .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 16384
    try directory.write("web.yaml", serviceText("web", port: 1))
    let watch = try Watch([directory.path])
    _ = watch.waitForPort(1)
    // The loop stands still while more happens than the kernel keeps.
    let (standing, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    watch.watcher.submit { _ in
      standing.signal()
      _ = go.wait(timeout: .now() + 40)
    }
    #expect(standing.wait(timeout: .now() + 5) == .success)
    let (a, b) = (directory.path + "/.a", directory.path + "/.b")
    try directory.write(".a", "")
    for i in 0..<limit { _ = unsafe i % 2 == 0 ? rename(a, b) : rename(b, a) }
    try directory.write("web.yaml", serviceText("web", port: 2))
    go.signal()
    _ = watch.waitForPort(2)
  }

  @Test func `a burst of edits is read a few times only, and ends with the last`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("web.yaml", serviceText("web", port: 1))
    let watch = try Watch([directory.path])
    _ = watch.waitForPort(1)
    watch.settle()
    let before = watch.count
    for port in 2...500 { try directory.write("web.yaml", serviceText("web", port: port)) }
    _ = watch.waitForPort(500)
    print("500 edits gave \(watch.count - before) snapshots")
    #expect(watch.count - before < 250)
  }
}
