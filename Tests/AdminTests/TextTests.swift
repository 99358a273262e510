import Testing

@testable import Admin

/// What `status` and `explain` print, to the letter.
@Suite struct TextTests {
  @Test("status prints services, pools, problems and limits")
  func status() {
    #expect(
      AdminState.example.statusText() == """
        NAMESPACE/NAME           TYPE          EXTERNAL-IP           PORT(S)        ENDPOINTS  ACTIVE  TOTAL  ANNOUNCED
        default/hostname-svc-lb  LoadBalancer  10.101.0.50           8080/TCP       2/4        1       30     no: --announce none
        shop/cart                LoadBalancer  <pending>             80/TCP,53/UDP  0/0,0/1    0       0
          pool lab has no free address
        shop/front               LoadBalancer  10.101.0.51,fd00::51  443/TCP        1/1        0       0      -
          10.101.0.51:443 is in use by another process

        POOL  RANGES                   ASSIGNED  TOTAL
        lab   10.101.0.50-10.101.0.60  2         11
        six   fd00::/64                1         18446744073709551616

        problems:
          cart.yaml:7: Service/shop/cart: spec.ports[0].port: must be a number, not 'eighty'
          cart.yaml: Ingress/shop: warning: is not read

        roadstead 0.1.0, up 3 min 12 s, not ready: draining
        limits: 2 shards, 1048576 open files

        """)
  }

  @Test("status prints the design's example as the design has it")
  func designExample() {
    let state = AdminState(
      version: "0.1.0", startedAt: "2026-01-31T12:00:00Z", readiness: .ready,
      services: [
        AdminState.Service(
          namespace: "default", name: "hostname-svc-lb", addresses: [AdminState.Address("10.101.0.50")],
          ports: [
            AdminState.Port(
              port: 8080, counters: AdminState.Counters(accepted: 30),
              endpoints: (1...3).map { AdminState.Endpoint(name: "web-\($0)", address: "10.244.1.\($0):80") })
          ])
      ])
    #expect(
      state.statusText() == """
        NAMESPACE/NAME           TYPE          EXTERNAL-IP  PORT(S)   ENDPOINTS  ACTIVE  TOTAL
        default/hostname-svc-lb  LoadBalancer  10.101.0.50  8080/TCP  3/3        0       30

        roadstead 0.1.0, up 0 s, ready

        """)
  }

  @Test("status says that there are no services")
  func noServices() {
    let state = AdminState(version: "0.1.0", startedAt: "2026-01-31T12:00:00Z", readiness: .ready)
    #expect(state.statusText() == "no services\n\nroadstead 0.1.0, up 0 s, ready\n")
  }

  @Test("explain says which address and why, and which endpoints take traffic and why not the others")
  func explain() throws {
    #expect(
      try AdminState.example.explainText("hostname-svc-lb") == """
        default/hostname-svc-lb  LoadBalancer  from webserver.yaml:1
          draining: no new connections; an address is withdrawn when its last one has ended
          address  10.101.0.50, from pool lab: lowest free address, on no interface, announced by nobody (--announce none)
          balance  round-robin
          target   pod: endpoints are known
          setting  connect-timeout: 2s
          setting  idle-timeout: 5m
          port 8080/TCP → 80 (webserver)
            listens at 10.101.0.50:8080
            2 endpoints take traffic:
              web-1  10.244.1.7:80   on node-1  weight 1  1 active  10 total  800 B in, 0 B out
              web-2  10.244.2.17:80             weight 2  0 active  20 total  0 B in, 5.0 MiB out  1 connect failure
            2 do not:
              web-3  10.244.2.18:80  ejected for 10 s after 3 connect failures
              web-4  10.244.3.1      not ready
            30 connections, 1 active, 2.3 KiB in, 5.0 MiB out, 1 connect failure, 1 retried
            closed: client-reset 1, finished 28

        """)
  }

  @Test("explain says why a service waits")
  func explainWaiting() throws {
    #expect(
      try AdminState.example.explainText("shop/cart") == """
        shop/cart  LoadBalancer
          draining: no new connections; an address is withdrawn when its last one has ended
          address  <pending>: pool lab has no free address
          balance  round-robin
          target   pod
          port 80/TCP → http
            listens nowhere
            no endpoint takes traffic
            nothing is selected
            0 connections, 0 active, 0 B in, 0 B out, 0 connect failures, 0 retried
          port 53/UDP
            listens nowhere
            no endpoint takes traffic
            1 does not:
              a  -  x
            0 flows, 0 active, 0 datagrams in (0 B), 0 out (0 B), 0 refusals, 0 moved

        """)
  }

  @Test("explain and status tell flows and datagrams of a UDP port, and why datagrams were dropped")
  func udp() throws {
    var state = AdminState.example
    let counters = AdminState.Counters(
      accepted: 12, active: 2, bytesIn: 700, bytesOut: 2048, connectFailures: 1, retries: 3,
      closes: ["idle": 4, "young-idle": 6], datagramsIn: 100, datagramsOut: 98, drops: ["refused": 1, "no-endpoint": 2])
    state.services[0].ports[0].transport = "UDP"
    state.services[0].ports[0].counters = counters
    state.counters = counters
    let text = try state.explainText("hostname-svc-lb")
    #expect(
      text.hasSuffix(
        """
            12 flows, 2 active, 100 datagrams in (700 B), 98 out (2.0 KiB), 1 refusal, 3 moved
            ended: idle 4, young-idle 6
            dropped: no-endpoint 2, refused 1

        """))
    #expect(text.contains("1 refusal\n") && !text.contains("connect failure\n"))
    #expect(state.statusText().contains("\ndatagrams dropped: no-endpoint 2, refused 1\n"))
  }

  @Test("explain names the error of a port, and who announces")
  func explainError() throws {
    var state = AdminState.example
    state.services[2].addresses[0].interface = "eth0"
    state.services[2].addresses[0].announcedBy = "layer2 on eth0"
    let text = try state.explainText("front")
    #expect(text.contains("address  10.101.0.51, from pool lab, on interface eth0, announced by layer2 on eth0\n"))
    #expect(text.contains("    error: 10.101.0.51:443 is in use by another process\n"))
  }

  @Test("status says where each address is announced, explain since when and what works less well")
  func announced() throws {
    var state = AdminState.example
    state.readiness = .ready
    let since = "2026-01-31T12:00:00Z"
    state.services[2].addresses[0].interfaces = ["eth0", "eth1"]
    state.services[2].addresses[0].remark = "no interface's subnet holds it"
    state.services[2].addresses[0].announcedBy = "layer2 on eth0, eth1"
    state.services[2].addresses[0].announcements = ["eth0", "eth1"].map {
      AdminState.Announcement(
        interface: $0, state: "announced", since: since, probes: 3, gratuitous: 12, conflicts: 1, renewals: 40)
    }
    state.services[2].addresses[0].announcements?[1].rival = "02:00:00:00:00:07"
    state.services[2].addresses[0].announcements?[1].warnings = ["arp_ignore of eth1 is 0 and cannot be set"]
    state.services[2].addresses[1].notAnnounced = "no interface is fit for it"
    state.services[2].addresses[1].announcements = [
      AdminState.Announcement(state: "waiting", reason: "no interface is fit for it")
    ]
    state.announcer = AdminState.Announcer(
      name: "layer2", drops: ["not-announced": 3],
      lingering: [
        AdminState.Address(
          "10.101.0.52", announcedBy: "layer2 on eth0", stillAnnounced: "stays until 1 connection has ended",
          announcements: [AdminState.Announcement(interface: "eth0", state: "announced", since: since)])
      ])
    let status = state.statusText()
    #expect(
      status.contains("  0      10.101.0.51 eth0,eth1; fd00::51 no: no interface is fit for it\n"), "\(status)")
    #expect(
      status.contains(
        """

        announced still, though no Service has them:
          10.101.0.52  eth0 (stays until 1 connection has ended)

        roadstead 0.1.0, up 3 min 12 s, ready
        announcer: layer2, dropped of what it heard: not-announced 3

        """), "\(status)")
    #expect(
      try state.explainText("front").hasPrefix(
        """
        shop/front  LoadBalancer
          address  10.101.0.51, from pool lab, on interfaces eth0, eth1, announced by layer2 on eth0, eth1
                   eth0 announced since 2026-01-31T12:00:00Z: 3 probes, 12 gratuitous, 1 conflict, 40 renewals
                   eth1 announced since 2026-01-31T12:00:00Z: 3 probes, 12 gratuitous, 1 conflict, the last by \
        02:00:00:00:00:07, 40 renewals
                   warning: arp_ignore of eth1 is 0 and cannot be set
                   no interface's subnet holds it
          address  fd00::51, from pool six, on no interface, announced by nobody (no interface is fit for it)
          balance  round-robin

        """))
    state.services[2].addresses[0].announcements?[1] = AdminState.Announcement(
      interface: "eth1", state: "waiting", reason: "interface eth1 is down")
    #expect(try state.explainText("front").contains("\n           eth1 not announced (interface eth1 is down)\n"))
    #expect(try AdminState(json: state.json()) == state)
    // A plan is on no interface, and that goes without saying.
    state.services[2].addresses[0].interfaces = []
    #expect(
      try state.explainText("front", isRunning: false)
        .contains("10.101.0.51, from pool lab, would be announced by layer2 on eth0, eth1\n"))
  }

  @Test("control characters of a name or message do not reach the terminal")
  func controlCharacters() {
    var state = AdminState.example
    state.services[0].name = "a\u{1B}[2Jb"
    state.services[1].waiting = "first\nsecond\u{7}\u{9B}"
    let text = state.statusText()
    #expect(text.contains("default/a?[2Jb ") && text.contains("\n  first second??\n"))
  }

  @Test(
    "bytes are printed with three digits at most",
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1126, "1.0 KiB"), (1127, "1.1 KiB"), (10_239, "9.9 KiB"),
      (10_240, "10 KiB"), (1 << 30, "1.0 GiB"), (UInt64.max, "15 EiB"),
    ] as [(UInt64, String)])
  func bytes(number: UInt64, text: String) { #expect(Figures.bytes(number) == text) }

  @Test(
    "durations are printed in their two largest units",
    arguments: [(59, "59 s"), (60, "1 min 0 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")] as [(UInt64, String)])
  func durations(seconds: UInt64, text: String) { #expect(Figures.duration(seconds: seconds) == text) }
}
