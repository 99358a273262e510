import TestKit
import Testing

/// Manifests that change while traffic runs.
@Suite struct EditTests {
  @Test("a new pod file gets traffic within 200 ms of its write", .timeLimit(.minutes(1)))
  func newPod() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    var pods = try scenario.pods(1...1)
    let process = try scenario.run()
    var times: [Duration] = []
    for host in 2...6 {
      pods.append(try scenario.serve(host))
      try scenario.writePod(host)
      let written = ContinuousClock.now
      try eventually("pod-\(host) gets traffic", within: .seconds(5)) {
        try podName(at: scenario.address) == "pod-\(host)"
      }
      times.append(written.duration(to: .now))
    }
    // The median of five: another process of the machine may hold up one of them.
    #expect(times.sorted()[2] < .milliseconds(200), "\(times)")
    #expect(process.isRunning)
  }

  @Test("a pod whose file goes away gets no new connection and keeps those it has", .timeLimit(.minutes(1)))
  func removedPod() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...2, Handlers.echo)
    let process = try scenario.run()
    let clients = try (0..<4).map { _ in try TCPStream(to: scenario.address) }
    for client in clients { try exchange(client, "before") }
    #expect(pods.map(\.acceptedCount) == [2, 2])
    try scenario.remove("pod-1")
    try process.waitForLine(containing: "1 endpoint")
    for _ in 0..<6 { try exchange(TCPStream(to: scenario.address), "new") }
    #expect(pods.map(\.acceptedCount) == [2, 8])
    for client in clients { try exchange(client, "after") }
  }

  @Test("a deleted service closes its listener, and the others go on", .timeLimit(.minutes(1)))
  func deletedService() throws {
    let scenario = try Scenario()
    try scenario.writeService("a-stays")
    try scenario.writeService("b-goes")
    let pods = try scenario.pods(1...1)
    let process = try scenario.run(until: "b-goes")
    try process.waitForLine(containing: "a-stays")
    let other = scenario.block.address(51, port: 8080)
    #expect(try podName(at: other) == "pod-1")
    try scenario.remove("service-b-goes")
    try eventually("the listener is closed", within: .seconds(5)) { try isRefused(other) }
    #expect(try podName(at: scenario.address) == "pod-1")
    #expect(pods[0].acceptedCount >= 2)
  }

  @Test(
    "an invalid edit is reported with file and line, and the last good state keeps serving", .timeLimit(.minutes(1)))
  func invalidEdit() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...2)
    let process = try scenario.run()
    let good = Manifests.service("hostname-svc-lb")
    let bad = good.replacing("port: 8080", with: "port: 123456")
    let line =
      try #require(bad.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("123456") })
      + 1
    try scenario.write("service-hostname-svc-lb", bad)
    let report = try process.waitForLine(containing: "service-hostname-svc-lb.yaml:\(line)")
    #expect(report.contains("spec.ports[0].port"), "\(report)")
    #expect(try podName(at: scenario.address).hasPrefix("pod-"))
    // The rest of the directory is still followed.
    let third = try scenario.serve(3)
    try scenario.writePod(3)
    try eventually("pod-3 gets traffic") { try podName(at: scenario.address) == "pod-3" }
    try scenario.write("service-hostname-svc-lb", good.replacing("port: 8080", with: "port: 8081"))
    try eventually("the corrected port answers") {
      (try? podName(at: scenario.block.address(50, port: 8081))) != nil
    }
    #expect(pods.count == 2 && third.acceptedCount >= 1)
  }

  @Test("a file that does not parse any more is reported and its objects stay", .timeLimit(.minutes(1)))
  func unparsableEdit() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...1)
    let process = try scenario.run()
    try scenario.write("service-hostname-svc-lb", "kind: Service\nspec: [unclosed\n")
    try process.waitForLine(containing: "service-hostname-svc-lb.yaml:")
    #expect(try podName(at: scenario.address) == "pod-1")
    #expect(pods.count == 1)
  }

  @Test("edits under way lose not one of 200 connections in use", .timeLimit(.minutes(2)), arguments: [1, 2])
  func editsUnderLoad(shards: Int) throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...3, Handlers.echo)
    let process = try scenario.run("--shards", "\(shards)")
    let isOver = Monitor(false)
    let failures = Mailbox<String>()
    let rounds = Mailbox<Int>()
    let threads = try (0..<8).map { lane in
      try TestThread {
        do {
          let clients = try (0..<25).map { _ in try TCPStream(to: scenario.address) }
          var stream = ByteStream(seed: UInt64(lane))
          var round = 0
          while !isOver.update({ $0 }) {
            for client in clients {
              let bytes = stream.next(1000)
              try client.send(bytes)
              guard try client.receive(exactly: 1000) == bytes else { throw TestFailure("other bytes came back") }
            }
            round += 1
            rounds.post(round)
          }
        } catch {
          failures.post("lane \(lane): \(error)")
          rounds.post(0)
        }
      }
    }
    defer {
      isOver.update { $0 = true }
      for thread in threads { thread.join() }
    }
    func letTrafficPass() throws { for _ in 0..<16 { _ = try rounds.next("a round of traffic") } }
    try letTrafficPass()
    try scenario.writePod(4)
    try process.waitForLine(containing: "4 endpoints")
    try letTrafficPass()
    try scenario.writeService("another")
    try process.waitForLine(containing: "default/another")
    try letTrafficPass()
    try scenario.remove("pod-1")
    try scenario.writeService(annotations: ["roadstead.dev/balance": "least-connections"])
    try letTrafficPass()
    try scenario.remove("service-another")
    try eventually("the other service is gone") { try isRefused(scenario.block.address(51, port: 8080)) }
    try letTrafficPass()
    isOver.update { $0 = true }
    for thread in threads { thread.join() }
    #expect(failures.all == [])
    #expect(pods.flatMap(\.failures) == [])
    #expect(process.isRunning)
  }

  @Test("SIGHUP reads the files again and keeps serving", .timeLimit(.minutes(1)))
  func hangup() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...1, Handlers.echo)
    let process = try scenario.run()
    let client = try TCPStream(to: scenario.address)
    try exchange(client, "before")
    process.signal(1)
    try exchange(client, "after")
    try exchange(TCPStream(to: scenario.address), "new")
    #expect(process.isRunning && pods[0].failures == [])
  }
}

/// Sends `text` to an echo and checks that it comes back.
func exchange(_ client: TCPStream, _ text: String) throws {
  try client.send(text)
  let bytes = try client.receive(exactly: text.utf8.count)
  guard bytes == Array(text.utf8) else { throw TestFailure("'\(String(decoding: bytes, as: UTF8.self))' came back") }
}
