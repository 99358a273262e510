import HTTPTransport
import Testing

@testable import Kubernetes

/// One kind, listed and watched over a scripted transport.
@Suite(.timeLimit(.minutes(1))) struct ReflectorTests {
  private typealias T = APITexts
  private let listPath = "/api/v1/services?limit=500"

  private func watchPath(_ version: Int) -> String {
    "/api/v1/services?watch=1&allowWatchBookmarks=true&resourceVersion=\(version)"
  }

  private func list(_ version: String, _ items: String...) -> ScriptedTransport.Answer {
    .whole(T.list(version, items))
  }

  /// Runs a script until a snapshot satisfies `condition`, then stops.
  private func run(
    _ script: [ScriptedTransport.Answer], kinds: Set<ObjectKind> = [.service],
    until condition: (ClusterSnapshot) -> Bool
  ) async -> (ClusterSnapshot?, WatchRig) {
    let rig = WatchRig(script, kinds: kinds)
    await rig.watcher.start()
    let snapshot = await rig.snapshot(until: condition)
    await rig.watcher.stop()
    #expect(rig.transport.open == 0)
    return (snapshot, rig)
  }

  @Test("objects come, change and go")
  func events() async {
    let rig = WatchRig([
      list("5", T.service("a", 1), T.service("b", 2)),
      .stream([
        .text(T.event("ADDED", T.service("c", 6, port: 81, kind: true))),
        .text(T.event("MODIFIED", T.service("a", 7, port: 82)) + T.event("DELETED", T.service("b", 8))),
      ]),
    ])
    await rig.watcher.start()
    let snapshot = await rig.snapshot { $0.ports == ["a": 82, "c": 81] }
    #expect(snapshot?.changedNames == ["a", "b", "c"])
    #expect(snapshot?.affectedServices.isEmpty == false)
    #expect(rig.transport.paths == [listPath, watchPath(5)])
    await rig.watcher.stop()
    #expect(rig.transport.open == 0)
    #expect(await rig.watcher.next() == nil)
  }

  @Test("a watch's chunks may end at any byte")
  func chunkBorders() async {
    let text = Array(
      (T.event("ADDED", T.service("é", 6).replacing("\"é\"", with: "\"b\"").replacing("u-é", with: "u-\u{1F600}"))
        + T.event("DELETED", T.service("a", 7)) + T.bookmark(8)).utf8)
    for border in 0...text.count {
      let (snapshot, _) = await run([
        list("5", T.service("a", 1)), .stream([.bytes(Array(text[..<border])), .bytes(Array(text[border...]))]),
      ]) { $0.ports == ["b": 80] }
      #expect(snapshot != nil)
    }
    let (snapshot, _) = await run([list("5", T.service("a", 1)), .stream(text.map { .bytes([$0]) })]) {
      $0.ports == ["b": 80]
    }
    #expect(snapshot?.store.services.first?.value.object.metadata.uid == "u-\u{1F600}")
  }

  @Test("a watch that ends, breaks or falls silent goes on from the last bookmark, at once")
  func bookmark() async {
    for end in [
      ScriptedTransport.Step.end, .fails(.transfer(code: 56, reason: "reset")), .fails(.idle(seconds: 45)),
    ] {
      let rig = WatchRig([
        list("5", T.service("a", 1)), .stream([.text(T.bookmark(90)), .text(#"{"type":"ADDED","obj"#), end]),
        .stream([.text(T.event("ADDED", T.service("b", 91)))]),
      ])
      await rig.watcher.start()
      _ = await rig.snapshot { $0.ports.count == 2 }
      #expect(rig.transport.paths == [listPath, watchPath(5), watchPath(90)])
      #expect(rig.clock.sleeps == [])
      #expect(rig.log == [])
      await rig.watcher.stop()
    }
  }

  @Test("a version that is gone, as a status or as an event, is a list anew that tells only what is different")
  func gone() async {
    for answer in [ScriptedTransport.Answer.whole(410, T.status(410, "Expired")), .stream([.text(T.gone)])] {
      let rig = WatchRig([
        list("5", T.service("a", 1), T.service("b", 2), T.service("c", 3)), answer,
        list("9", T.service("a", 1), T.service("c", 8, port: 81), T.service("d", 9)), .stream([]),
      ])
      await rig.watcher.start()
      var snapshots: [ClusterSnapshot] = []
      while let snapshot = await rig.watcher.next() {
        snapshots.append(snapshot)
        if snapshot.ports == ["a": 80, "c": 81, "d": 80] { break }
      }
      // The first list may have been seen, or not: the consumer is as slow as it likes.
      if snapshots.count > 1, let last = snapshots.last { #expect(last.changedNames == ["b", "c", "d"]) }
      await holds("watched again") { rig.transport.paths.last == watchPath(9) }
      #expect(rig.clock.sleeps == [])
      #expect(rig.log == [])
      await rig.watcher.stop()
    }
  }

  @Test("a list anew without a difference is no news, and neither are versions alone")
  func noFlapping() async throws {
    let rig = WatchRig([
      list("5", T.service("a", 1), T.service("b", 2)), .stream([.text(T.gone)]),
      list("9", T.service("a", 1), T.service("b", 8)),
      .stream([.text(T.event("MODIFIED", T.service("b", 10))), .text(T.event("ADDED", T.service("z", 11)))]),
    ])
    await rig.watcher.start()
    let first = try #require(await rig.watcher.next())
    #expect(first.changedNames.isSuperset(of: ["a", "b"]))
    let second = first.ports["z"] == nil ? await rig.snapshot { $0.ports["z"] != nil } : first
    if first.ports["z"] == nil { #expect(second?.changedNames == ["z"]) }
    #expect(second?.store.services[NamespacedName(name: "b")]?.object.metadata.resourceVersion == "10")
    await rig.watcher.stop()
  }

  @Test("a long list comes in pages, and is synced with the last")
  func pagination() async {
    let (snapshot, rig) = await run([
      .whole(T.list("5", [T.service("a", 1)], continuation: "t1")),
      .whole(T.list("5", [T.service("b", 2)], continuation: "t2")), list("5", T.service("c", 3)), .stream([]),
    ]) { _ in true }
    #expect(snapshot?.isSynced == true)
    #expect(snapshot?.ports.count == 3)
    #expect(rig.transport.paths.prefix(3) == [listPath, "\(listPath)&continue=t1", "\(listPath)&continue=t2"])
  }

  @Test("a page's token that expires is a list in one page; what the first half told and is gone goes")
  func expiredToken() async {
    let (snapshot, rig) = await run([
      .whole(T.list("5", [T.service("a", 1)], continuation: "t1")), .whole(410, T.status(410, "Expired")),
      list("9", T.service("b", 2)), .stream([]),
    ]) { _ in true }
    #expect(snapshot?.ports.keys.sorted() == ["b"])
    #expect(rig.transport.paths.prefix(3) == [listPath, "\(listPath)&continue=t1", "/api/v1/services"])
    #expect(rig.log == [])
  }

  @Test(
    "a hostile answer to a list is one line, and a retry",
    arguments: [
      (ScriptedTransport.Answer.whole("<html>hello</html>"), "found '<' where a JSON object should begin"),
      (.whole(String(T.list("5", [T.service("a", 1)]).dropLast(2))), "the JSON ends in the middle"),
      (.whole(T.status(200, "")), "Status where a ServiceList should be"),
      (.whole(302, headers: [.init("Location", "http://elsewhere/")], ""), "302: a redirect to http://elsewhere/"),
      (.whole(500, T.status(500, "InternalError", "etcd")), "500 InternalError: etcd"),
      (.whole(503, "<html>\n</html>"), "503: not the API's answer: <html>"),
      (.fails(.bodyTooLarge(limit: 9)), "longer than 9 bytes"),
      (.fails(.transfer(code: 60, reason: "certificate has expired")), "certificate has expired"),
      (.whole(T.list("1", [#"{"metadata":{"name":3}}"#])), "without a proper name"),
    ])
  func hostileList(answer: ScriptedTransport.Answer, words: String) async {
    let (snapshot, rig) = await run([answer, answer, list("5", T.service("a", 1)), .stream([])]) {
      $0.ports == ["a": 80] && $0.notes.isEmpty && $0.isSynced
    }
    #expect(snapshot != nil)
    #expect(rig.log.count(where: { $0.contains(words) }) == 1, "\(rig.log) \(rig.transport.paths)")
    #expect(rig.log.allSatisfy { !$0.contains("\n") && $0.hasPrefix("Service: ") })
    #expect(rig.transport.paths.prefix(3) == [listPath, listPath, listPath])
  }

  @Test(
    "a hostile line of a watch is one line, and a list anew; what came before it counts",
    arguments: [
      ("{\n", "in a line of the watch"), ("<html>\n", "found '<'"), ("7\n", "found '7'"),
      (T.event("ERROR", T.status(500, "InternalError", "etcd")), "500 InternalError: etcd"),
      (T.event("ADDED", "[]"), "without a resourceVersion"), (T.event("NEW", T.service("x", 7)), "type 'NEW'"),
    ])
  func hostileLine(line: String, words: String) async {
    let rig = WatchRig([
      list("5", T.service("a", 1)), .stream([.text(T.event("ADDED", T.service("b", 6)) + line)]),
      list("9", T.service("a", 1), T.service("b", 6), T.service("c", 8)), .stream([]),
    ])
    await rig.watcher.start()
    let snapshot = await rig.snapshot { $0.ports.count == 3 }
    #expect(snapshot != nil)
    await holds("watched again") { rig.transport.paths.count == 4 && rig.log.count == 2 }
    #expect(rig.log.first?.contains(words) == true, "\(rig.log)")
    #expect(rig.log.last == "Service: watched again")
    #expect(rig.transport.paths == [listPath, watchPath(5), listPath, watchPath(9)])
    await rig.watcher.stop()
  }

  @Test("a line of 100 MB is given up after 8 MiB")
  func endlessLine() async {
    let chunk = ScriptedTransport.Step.bytes([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 18))
    let rig = WatchRig([
      list("5", T.service("a", 1)), .stream([ScriptedTransport.Step](repeating: chunk, count: 400)),
      list("9", T.service("b", 8)), .stream([]),
    ])
    await rig.watcher.start()
    _ = await rig.snapshot { $0.ports == ["b": 80] }
    await rig.watcher.stop()
    #expect(rig.log.first?.contains("a line of more than 8388608 bytes") == true)
    #expect(rig.transport.reads <= 35)
  }

  @Test("an object that became invalid keeps its last good version, and is reported until it is mended")
  func invalid() async throws {
    let bad = T.service("a", 6).replacing(#""port":80"#, with: #""port":"x""#)
    let rig = WatchRig([
      list("5", T.service("a", 1)), .stream([.text(T.event("MODIFIED", bad)), .end]),
      .stream([.text(T.gone)]), list("9", bad, T.service("b", 7)), .stream([.end]),
    ])
    await rig.watcher.start()
    let broken = try #require(await rig.snapshot { !$0.problems.isEmpty && $0.ports["b"] != nil })
    #expect(broken.ports["a"] == 80)
    #expect(
      broken.problems.map(\.description) == [
        "Service/a: spec.ports[0].port: must be a whole number, not a string ('x')",
        "Service/a: notice: its last good version is kept",
      ])
    await rig.watcher.stop()

    let (mended, _) = await run([
      list("5", T.service("a", 1)),
      .stream([.text(T.event("MODIFIED", bad)), .text(T.event("MODIFIED", T.service("a", 8, port: 81)))]),
    ]) { $0.ports["a"] == 81 }
    #expect(mended?.problems == [])
    let (gone, _) = await run([
      list("5", T.service("b", 1), bad),
      .stream([.text(T.event("DELETED", bad)), .text(T.event("ADDED", T.service("c", 9)))]),
    ]) { $0.ports["c"] != nil }
    #expect(gone?.problems == [])
  }

  @Test("the server is asked for the version 0 never, and every request carries the token of its moment")
  func requests() async {
    let transport = ScriptedTransport([list("5", T.service("a", 1)), .stream([.text(T.bookmark(6)), .end])])
    let tokens = Counter()
    let watcher = ClusterWatcher(
      client: APIClient(transport: transport, server: "http://test", token: { "t\(tokens.next())" }),
      kinds: [.service], clock: TestClock().clock)
    await watcher.start()
    await holds("three requests") { transport.requests.count == 3 }
    await watcher.stop()
    #expect(transport.requests.map(\.bearerToken) == ["t0", "t1", "t2"])
    #expect(transport.requests.allSatisfy { !$0.url.contains("resourceVersion=0") && $0.method == "GET" })
  }
}
