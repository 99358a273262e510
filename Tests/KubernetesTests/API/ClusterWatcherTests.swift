import HTTPTransport
import Synchronization
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(1))) struct ClusterWatcherTests {
  private typealias T = APITexts

  /// A server of empty lists and quiet watches, but for what `answer` says.
  private func server(
    _ answer: @escaping @Sendable (ObjectKind, _ isWatch: Bool) -> ScriptedTransport.Answer?? = { _, _ in nil }
  ) -> ScriptedTransport {
    ScriptedTransport { request in
      let path = request.url.dropFirst("http://test".count)
      guard let kind = ObjectKind.allCases.first(where: { path.prefix { $0 != "?" } == $0.path }) else { return nil }
      let isWatch = path.contains("watch=1")
      if let answer = answer(kind, isWatch) { return answer }
      return isWatch ? .stream([]) : .whole(T.list(kind, "5", []))
    }
  }

  @Test("nothing is told before every kind was listed; then the connection is told, too")
  func synced() async {
    let rig = WatchRig(server(), kinds: ClusterWatcher.defaultKinds)
    await rig.watcher.start()
    var snapshots: [ClusterSnapshot] = []
    let connected = await rig.snapshot {
      snapshots.append($0)
      return $0.connection == .connected(since: 1_700_000_000)
    }
    // Nothing fails, so the first is synced; whether all are watched by then is chance.
    #expect(snapshots.allSatisfy { $0.isSynced })
    #expect(connected?.notes == [])
    await rig.watcher.stop()
    #expect(rig.transport.open == 0)
    #expect(rig.log == [])
  }

  @Test("Pods are asked for only where they are wanted; a second start changes nothing")
  func kinds() async {
    for wantsPods in [true, false] {
      let kinds = wantsPods ? ClusterWatcher.defaultKinds.union([.pod]) : ClusterWatcher.defaultKinds
      let rig = WatchRig(server(), kinds: kinds)
      await rig.watcher.start()
      await rig.watcher.start()
      await holds("a list and a watch of each") { rig.transport.paths.count == 2 * kinds.count }
      #expect(rig.transport.paths.contains { $0.contains("/pods") } == wantsPods)
      await rig.watcher.stop()
      #expect(rig.transport.open == 0)
    }
  }

  @Test("one kind that cannot be listed holds all back; after 2 s it is unreachable, and what is known is kept")
  func unreachable() async {
    let isDown = Atomic(true)
    let transport = server { kind, isWatch in
      if kind == .node, isDown.load(ordering: .relaxed) { return .fails(.transfer(code: 7, reason: "refused")) }
      if kind == .service, !isWatch { return .whole(T.list("5", [T.service("a", 1)])) }
      return nil
    }
    let rig = WatchRig(transport, kinds: [.service, .node], isInstant: false)
    await rig.watcher.start()
    // The reflector's back-off, and the connection's 2 s.
    await holds("waiting") { rig.clock.sleeperCount == 2 }
    rig.clock.advance(2.02)
    let first = await rig.watcher.next()
    #expect(first?.connection == .unreachable(since: 1_700_000_000, reason: "Node: refused"))
    #expect(first?.isSynced == false)
    #expect(first?.notes == [])

    isDown.store(false, ordering: .relaxed)
    await holds("backing off") { rig.clock.sleeperCount == 1 }
    rig.clock.advance(30)
    await holds("on probation") { rig.clock.sleeps.last.map { $0 <= 1 } == true }
    rig.clock.advance(1)
    let last = await rig.snapshot { $0.connection == .connected(since: 1_700_000_033) }
    #expect(last?.isSynced == true)
    #expect(last?.ports == ["a": 80])
    await rig.watcher.stop()
    #expect(rig.log == ["Node: list failed: refused", "Node: watched again"])
    #expect(rig.clock.sleeperCount == 0)
  }

  @Test("a server that goes away leaves the last known state")
  func goesAway() async throws {
    let isDown = Atomic(false)
    let transport = ScriptedTransport { request in
      if isDown.load(ordering: .relaxed) { return .fails(.transfer(code: 7, reason: "refused")) }
      guard request.url.contains("watch=1") else { return .whole(T.list("5", [T.service("a", 1)])) }
      isDown.store(true, ordering: .relaxed)
      return .stream([.text(T.bookmark(6)), .fails(.transfer(code: 56, reason: "reset"))])
    }
    let rig = WatchRig(transport)
    await rig.watcher.start()
    let away = try #require(
      await rig.snapshot { if case .unreachable = $0.connection { true } else { false } })
    #expect(away.ports == ["a": 80])
    #expect(away.isSynced)
    #expect(away.changedNames == ["a"])
    await holds("tried many times") { rig.transport.paths.count > 20 }
    await rig.watcher.stop()
    // From where it was, and nothing is listed anew: not for a server that is only away.
    #expect(rig.transport.paths.dropFirst(2).allSatisfy { $0.hasSuffix("&resourceVersion=6") })
    #expect(rig.log == ["Service: watch failed: refused"])
  }

  @Test("custom resources that the cluster does not know are empty, with a note, and asked for every 30 s")
  func absent() async {
    let isKnown = Atomic(false)
    let transport = server { kind, isWatch in
      guard kind == .ipAddressPool, !isWatch else { return nil }
      if !isKnown.load(ordering: .relaxed) { return .whole(404, "404 page not found\n") }
      let pool =
        #"{"metadata":{"name":"lab","namespace":"x","resourceVersion":"1"},"spec":{"addresses":["10.0.0.0/24"]}}"#
      return .whole(T.list(.ipAddressPool, "7", [pool]))
    }
    let rig = WatchRig(transport, kinds: [.service, .ipAddressPool], isInstant: false)
    await rig.watcher.start()
    let without = await rig.snapshot { !$0.notes.isEmpty && $0.isSynced }
    #expect(
      without?.notes == ["IPAddressPool: the cluster does not know metallb.io/v1beta1; asked again every 30 s"])
    await holds("waiting") { rig.clock.sleeperCount == 1 }
    #expect(rig.clock.sleeps == [30])
    isKnown.store(true, ordering: .relaxed)
    rig.clock.advance(30)
    let with = await rig.snapshot { $0.store.ipAddressPools.count == 1 && $0.notes.isEmpty }
    #expect(with?.changes.count == 1)
    await rig.watcher.stop()
  }

  @Test("custom resources that vanish are believed gone the second time")
  func vanished() async throws {
    let pool =
      #"{"metadata":{"name":"lab","namespace":"x","resourceVersion":"1"},"spec":{"addresses":["10.0.0.0/24"]}}"#
    let rig = WatchRig(
      [
        .whole(T.list(.ipAddressPool, "7", [pool])), .stream([.text(T.gone)]), .whole(404, ""), .whole(404, ""),
        .whole(404, ""),
      ], kinds: [.ipAddressPool], isInstant: false)
    await rig.watcher.start()
    let kept = try #require(await rig.snapshot { !$0.notes.isEmpty })
    #expect(kept.notes[0].hasSuffix("its last known objects are kept until then"))
    #expect(kept.store.ipAddressPools.count == 1)
    await holds("waiting") { rig.clock.sleeperCount == 1 }
    rig.clock.advance(30)
    let gone = await rig.snapshot { $0.store.ipAddressPools.isEmpty }
    #expect(gone?.changes.count == 1)
    await rig.watcher.stop()
  }

  @Test("a refusal names the kind, the verbs and the resource that RBAC must allow")
  func forbidden() async {
    let message = "services is forbidden: User \\\"x\\\" cannot list resource"
    let isForbidden: @Sendable (ObjectKind) -> ScriptedTransport.Answer = { _ in
      .whole(403, T.status(403, "Forbidden", message))
    }
    for (kind, isSynced) in [(ObjectKind.endpointSlice, false), (.l2Advertisement, true)] {
      let rig = WatchRig(
        server { asked, _ in asked == kind ? .some(isForbidden(kind)) : nil },
        kinds: [.service, .endpointSlice, .l2Advertisement])
      await rig.watcher.start()
      let snapshot = await rig.snapshot {
        !$0.notes.isEmpty && ($0.isSynced || $0.connection != .connecting)
      }
      #expect(snapshot?.isSynced == isSynced)
      let note = snapshot?.notes.first ?? ""
      #expect(note.hasPrefix("\(kind.rawValue): list failed: 403 Forbidden: services is forbidden"))
      let resource = kind == .endpointSlice ? "endpointslices.discovery.k8s.io" : "l2advertisements.metallb.io"
      #expect(note.hasSuffix("; needs a ClusterRole with the verbs list and watch on \(resource)"))
      await holds("tried again") { rig.transport.paths.count(where: { $0.contains(kind.resource) }) > 2 }
      await rig.watcher.stop()
      #expect(rig.log == [note])
    }
  }

  @Test("10,000 events while nobody looks are one snapshot of the last state")
  func slowConsumer() async throws {
    let lines = (0..<10_000).map { T.event("MODIFIED", T.service("s\($0 % 100)", 10 + $0, port: 1 + $0 / 100)) }
    let steps = stride(from: 0, to: lines.count, by: 50).map {
      ScriptedTransport.Step.text(lines[$0..<$0 + 50].joined())
    }
    let rig = WatchRig([.whole(T.list("5", [])), .stream(steps)])
    await rig.watcher.start()
    await holds("all was read") { rig.transport.reads == steps.count + 1 }
    let snapshot = try #require(await rig.watcher.next())
    #expect(snapshot.changes.count == 100)
    #expect(Set(snapshot.ports.values) == [100])
    let more = Task { await rig.watcher.next() }
    await rig.watcher.stop()
    #expect(await more.value == nil)
  }

  @Test("a consumer that is cancelled gets nil, and the watcher goes on")
  func cancelledConsumer() async {
    let rig = WatchRig([.whole(T.list("5", [])), .stream([])])
    await rig.watcher.start()
    _ = await rig.snapshot { if case .connected = $0.connection { true } else { false } }
    let consumer = Task { await rig.watcher.next() }
    // It is connected once it has listed, and watches a little later.
    await holds("the watch is open") { rig.transport.open == 1 }
    consumer.cancel()
    #expect(await consumer.value == nil)
    #expect(rig.transport.open == 1)
    await rig.watcher.stop()
    #expect(rig.transport.open == 0)
  }
}
