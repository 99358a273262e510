import Addresses
import Admin
import Announcing
import Balancing
import Kubernetes
import Logging
import Proxy
import Synchronization
import TestKit
import Testing

@testable import roadstead

/// The controller with an announcer that a test plays, and real listeners on addresses of the test's own.
@Suite(.timeLimit(.minutes(1))) struct ControllerAnnouncingTests {
  @Test("an address is announced when it answers already, and not before it has an endpoint")
  func order() async throws {
    let answered = Mutex<[Bool]>([])
    let scene = try Scene { addresses in
      for address in addresses {
        let client = try? TCPStream(to: SocketAddress(address, port: 8080))
        answered.withLock { $0.append(client != nil) }
      }
    }
    try await scene.apply([scene.service, scene.pod(isReady: false)])
    #expect(scene.announcer.calls == [])
    #expect(scene.log.all.contains("info: \(scene.address) is not announced: no ready endpoint"))
    try await scene.apply([scene.service, scene.pod()])
    #expect(scene.announcer.calls == [.announce([scene.address])])
    #expect(answered.withLock { $0 } == [true])
    // Nothing new is nothing to say.
    await scene.controller.apply(.retry)
    #expect(scene.announcer.calls.count == 1)
  }

  @Test("an address stays announced without endpoints, and explain says so")
  func endpointsGo() async throws {
    let scene = try Scene()
    try await scene.apply([scene.service, scene.pod()])
    try await scene.apply([scene.service, scene.pod(isReady: false)])
    #expect(scene.announcer.calls == [.announce([scene.address])])
    let state = await scene.controller.freshState(startedAt: 0)
    let text = try state.explainText("web")
    #expect(
      text.contains("\n           stays announced without a ready endpoint: new connections are reset\n"), "\(text)")
  }

  @Test("a Service that goes keeps its address announced until its connections have ended")
  func serviceGoes() async throws {
    let scene = try Scene()
    try await scene.apply([scene.service, scene.pod()])
    let client = try TCPStream(to: SocketAddress(scene.address, port: 8080))
    try exchange(client, "before")
    try await scene.apply([])
    #expect(await scene.controller.hasLingering)
    try exchange(client, "after")
    let state = await scene.controller.freshState(startedAt: 0)
    #expect(state.announcer?.lingering.map(\.stillAnnounced) == ["stays until 1 connection has ended"])
    #expect(state.statusText().contains("announced still, though no Service has them:\n  \(scene.address)  "))
    #expect(
      try state.explainText("web").hasPrefix(
        "default/web  is no longer served\n  address  \(scene.address), lingering, on interface"))
    #expect(throws: AdminError.self) { try state.explainText("wob") }
    #expect(scene.log.all.contains("notice: \(scene.address) stays until 1 connection has ended"))
    // Its connections linger also when another Service has the address, which nothing selects.
    try await scene.apply([scene.otherService, scene.pod()])
    #expect(scene.announcer.calls == [.announce([scene.address])])
    client.close()
    try await scene.lookUntilWithdrawn()
    #expect(scene.announcer.calls == [.announce([scene.address]), .announce([])])
  }

  @Test("a Service that goes and never had a connection takes its address along at once")
  func unusedServiceGoes() async throws {
    let scene = try Scene()
    try await scene.apply([scene.service, scene.pod()])
    try await scene.apply([])
    #expect(scene.announcer.calls == [.announce([scene.address]), .announce([])])
    #expect(!scene.log.all.contains { $0.contains("stays") })
  }

  @Test("a Service that gets another address keeps the old one until its connections have ended, and explain says so")
  func addressChanges() async throws {
    let scene = try Scene()
    try await scene.apply([scene.service, scene.pod()])
    let client = try TCPStream(to: SocketAddress(scene.address, port: 8080))
    try exchange(client, "before")
    let other = scene.block.address(57)
    let moved = Objects.service("web", labels: "tier: front", annotations: "metallb.io/loadBalancerIPs: \(other)")
    try await scene.apply([moved, scene.pod()])
    let text = try await scene.controller.freshState(startedAt: 0).explainText("web")
    #expect(text.contains("\n  address  \(other), from pool lab: "), "\(text)")
    #expect(text.contains("\n  address  \(scene.address), lingering, "), "\(text)")
    #expect(text.contains("\n           stays until 1 connection has ended\n"), "\(text)")
    client.close()
    try await scene.lookUntilWithdrawn()
    #expect(scene.announcer.calls.last == .announce([other]))
  }

  @Test("an address that another Service gets at once is announced on without a break")
  func handedOver() async throws {
    let scene = try Scene()
    try await scene.apply([scene.service, scene.pod()])
    let other = Objects.service(
      "other", labels: "tier: front", annotations: "metallb.io/loadBalancerIPs: \(scene.address)")
    try await scene.apply([other, scene.pod()])
    #expect(await scene.controller.plan.services[0].outcome.addresses.map(\.address) == [scene.address])
    for _ in 0..<3 { await scene.controller.apply(.lingering) }
    #expect(scene.announcer.calls == [.announce([scene.address])])
  }

  @Test("what the announcer tells is logged in plain words, once, and shown by status and explain")
  func statuses() async throws {
    let scene = try Scene()
    let following = Task { await scene.controller.followAnnouncer() }
    try await scene.apply([scene.service, scene.pod()])
    #expect(await scene.controller.state(startedAt: 0).statusText().contains("no: layer2 has not begun yet"))
    let mac = try #require(MACAddress("02:00:00:00:00:07"))
    var counters = AnnouncementStatus.Counters()
    counters.probes = 3
    counters.renewals = 1
    let warning = "arp_ignore of eth0 is 0 and cannot be set"
    scene.announcer.tell(AnnouncementStatus(scene.address, interface: "eth0", state: .probing))
    scene.announcer.tell(
      AnnouncementStatus(scene.address, interface: "eth1", state: .waiting(.addressInUse(by: mac))))
    scene.announcer.tell(AnnouncementStatus(scene.address, interface: "eth1", state: .probing))
    scene.announcer.tell(
      AnnouncementStatus(scene.address, interface: "eth1", state: .waiting(.addressInUse(by: mac))))
    for second in [1_769_860_800, 1_769_860_800] {
      scene.announcer.tell(
        AnnouncementStatus(
          scene.address, interface: "eth0", state: .announced(since: second), counters: counters, warnings: [warning]))
    }
    try await scene.waitForLog(containing: "arp_ignore")
    let state = await scene.controller.freshState(startedAt: 0)
    #expect(
      state.services[0].addresses[0].announcements?.map(\.state) == ["announced", "waiting"])
    #expect(state.announcer == AdminState.Announcer(name: "layer2", drops: ["not-announced": 3]))
    let inUse = "address already in use by 02:00:00:00:00:07"
    #expect(state.statusText().contains("eth0 (eth1 not announced (\(inUse)))"), "\(state.statusText())")
    let explained = try state.explainText("web")
    #expect(explained.contains("announced by layer2 on eth0\n"), "\(explained)")
    for line in [
      "eth0 announced since 2026-01-31T12:00:00Z: 3 probes, 0 gratuitous, 0 conflicts, 1 renewal",
      "warning: \(warning)", "eth1 not announced (\(inUse))",
    ] { #expect(explained.contains("\n           \(line)\n"), "\(explained)") }

    scene.announcer.tell(AnnouncementStatus(scene.address, interface: "eth0", state: .withdrawn))
    try await scene.waitForLog(containing: "withdrawn")
    #expect(
      scene.log.all.filter { $0.contains("nnounced") || $0.contains("withdrawn") || $0.contains("arp") } == [
        "warning: \(scene.address) is not announced on eth1: \(inUse)",
        "info: \(scene.address) is announced on eth0", "warning: \(scene.address): \(warning)",
        "info: \(scene.address) is withdrawn from eth0",
      ])
    following.cancel()
  }

  @Test("addresses that nothing selects share one line of the log, once")
  func reasons() async throws {
    let scene = try Scene(advertisement: "ipAddressPools: [other]")
    let services = (1...6).map { Objects.service("web-\($0)") }
    try await scene.apply(services + [scene.pod()])
    try await scene.apply(services + [scene.pod()])
    let block = scene.block
    #expect(
      scene.log.all.filter { $0.contains("not announced") } == [
        "notice: \(block.address(50)), \(block.address(51)), \(block.address(52)) and 3 more are not announced: "
          + "no L2Advertisement selects pool lab"
      ])
  }

  @Test("a drain withdraws each address when no connection to it is open, and the rest at its end")
  func drain() async throws {
    let scene = try Scene()
    let services = (0...2).map { number in
      Objects.service(
        "web-\(number)", labels: "tier: front",
        annotations: "metallb.io/loadBalancerIPs: \(scene.block.address(50 + number))")
    }
    let addresses = (0...2).map { scene.block.address(50 + $0) }
    try await scene.apply(services + [scene.pod()])
    let clients = try addresses.dropLast().map { try TCPStream(to: SocketAddress($0, port: 8080)) }
    for client in clients { try exchange(client, "before") }
    // It has just ended, and no other is open there.
    let ended = try TCPStream(to: SocketAddress(addresses[2], port: 8080))
    try exchange(ended, "before")
    ended.close()
    try await scene.waitUntil("it has ended") { await scene.controller.plane.connectionCount() == 2 }
    await scene.controller.stopAccepting()
    for address in addresses {
      #expect(throws: ConnectFailure.self) { _ = try TCPStream(to: SocketAddress(address, port: 8080)) }
    }
    #expect(scene.announcer.calls == [.announce(addresses), .announce(Array(addresses.prefix(2)))])
    let draining = Task { await scene.controller.drain(for: 20) }
    // An edit meanwhile changes nothing any more.
    try await scene.apply([])
    for client in clients { try exchange(client, "after") }
    clients[0].close()
    try await scene.waitUntil("the first is withdrawn") {
      await scene.controller.apply(.lingering)
      return scene.announcer.calls.count > 2
    }
    #expect(scene.announcer.calls.last == .announce([addresses[1]]))
    try exchange(clients[1], "after")
    clients[1].close()
    #expect(await draining.value == 0)
    await scene.controller.stopAnnouncing(within: 5)
    #expect(scene.announcer.calls.dropFirst(3) == [.stop])
    // One who has stopped is told nothing more.
    try await Task.sleep(for: .seconds(LingeringAddresses.rest))
    await scene.controller.apply(.lingering)
    await scene.controller.stopAnnouncing(within: 5)
    #expect(scene.announcer.calls.count == 4)
  }

  @Test("while it drains, explain says so, and why an address is not announced any more")
  func explainsDraining() async throws {
    let scene = try Scene()
    let other = Objects.service(
      "other", labels: "tier: front", annotations: "metallb.io/loadBalancerIPs: \(scene.block.address(51))")
    try await scene.apply([scene.service, other, scene.pod()])
    let client = try TCPStream(to: SocketAddress(scene.address, port: 8080))
    try exchange(client, "before")
    await scene.controller.stopAccepting()
    let state = await scene.controller.freshState(startedAt: 0)
    let note = "\n  draining: no new connections; an address is withdrawn when its last one has ended\n"
    let (web, gone) = (try state.explainText("web"), try state.explainText("other"))
    #expect(web.contains(note) && gone.contains(note))
    #expect(web.contains("\n           draining: stays until 1 connection has ended\n"), "\(web)")
    #expect(web.contains("\n    listens nowhere\n"), "\(web)")
    #expect(gone.contains("announced by nobody (draining, and no connection to it is open)\n"), "\(gone)")
    client.close()
  }

  @Test("an announcer that does not come to an end holds nobody up")
  func slowStop() async throws {
    let scene = try Scene(stopSeconds: 30)
    let start = ContinuousClock.now
    await scene.controller.stopAnnouncing(within: 0.1)
    #expect(start.duration(to: .now) < .seconds(20))
  }

  @Test("--announce layer2 that cannot is an error of the start, --announce auto goes on and says why")
  func unavailable() async throws {
    var options = ServingProcess.Options()
    options.manifests = ["/nonexistent"]
    options.shards = 1
    options.announce = .layer2
    options.makeAnnouncer = { _, _ in .unavailable("announcing needs this") }
    await #expect {
      _ = try await ServingProcess(options)
    } throws: { error in
      (error as? CommandFailure)?.status == .system && "\(error)" == "--announce layer2: announcing needs this"
    }
    options.announce = .auto
    _ = try await ServingProcess(options)
  }
}

/// A pool and an advertisement on loopback addresses, a pod, and the controller that serves them.
private struct Scene: Sendable {
  let block: LoopbackBlock
  let controller: Controller
  let announcer: ScriptedAnnouncer
  let log = LogKeeper.Lines()
  private let pods: TestServer
  private let fixed: [String]

  init(
    advertisement: String = "serviceSelectors: [{matchLabels: {tier: front}}]", stopSeconds: Double = 0,
    whenTold: @escaping @Sendable ([IPAddress]) -> Void = { _ in }
  ) throws {
    block = try LoopbackBlock()
    pods = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    announcer = ScriptedAnnouncer(stopSeconds: stopSeconds, whenTold: whenTold)
    fixed = [
      Objects.pool("lab", "\(block.address(50))-\(block.address(60))"), Objects.advertisement("ad", advertisement),
    ]
    var planner = AnnouncementPlanner()
    planner.skipsLoopback = false
    let lines = log
    controller = Controller(
      plane: try DataPlane(shardCount: 2), resolver: EndpointResolver(), announcementPlanner: planner,
      announcer: announcer, logger: Logger(label: "test") { _ in LogKeeper(lines) })
  }

  var address: IPAddress { block.address(50) }
  var service: String { Objects.service("web", labels: "tier: front") }
  /// One with the same address, that the advertisement does not select.
  var otherService: String {
    Objects.service("other", labels: "tier: back", annotations: "metallb.io/loadBalancerIPs: \(address)")
  }
  func pod(isReady: Bool = true) -> String { Objects.pod("\(block.address(1))", isReady: isReady) }

  func apply(_ objects: [String]) async throws {
    var manifests = try Objects.manifests(fixed + objects)
    // What is not in them any more is gone.
    if let before = await controller.manifests {
      manifests.changes.formUnion(before.changes)
      manifests.affectedServices.formUnion(before.affectedServices)
    }
    await controller.apply(.manifests(manifests))
  }

  /// Looks at lingering addresses as the process does, only more often.
  func lookUntilWithdrawn() async throws {
    try await waitUntil("the address is withdrawn") {
      await controller.apply(.lingering)
      return await !controller.hasLingering
    }
  }

  func waitForLog(containing text: String) async throws {
    try await waitUntil("the log has \(text)") { log.all.contains { $0.contains(text) } }
  }

  func waitUntil(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = Deadline.after(.seconds(10))
    while try await !condition() {
      if deadline.hasPassed { throw TestFailure("in vain: \(what)") }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}

/// Sends a text and receives it.
private func exchange(_ client: TCPStream, _ text: String) throws {
  try client.send(text)
  #expect(try client.receive(exactly: text.utf8.count) == Array(text.utf8))
}
