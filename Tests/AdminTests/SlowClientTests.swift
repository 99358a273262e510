import Addresses
import Admin
import EventLoop
import TestKit
import Testing

/// Clients that take their time must not take the server's.
@Suite struct SlowClientTests {
  @Test("half a request is ended when nothing more comes", .timeLimit(.minutes(1)))
  func halfRequest() throws {
    let server = try RunningServer(.hello, limits: HTTPServer.Limits(idleSeconds: 1))
    let stream = try server.connect()
    try stream.send("GET /hello HTTP/1.1\r\nHos")
    let start = ContinuousClock.now
    _ = try stream.receiveUntilEnd()
    #expect(start.duration(to: .now) < .seconds(4))
  }

  @Test("a head that comes byte by byte is ended at twice the idle time", .timeLimit(.minutes(1)))
  func drippingHead() throws {
    let server = try RunningServer(.hello, limits: HTTPServer.Limits(idleSeconds: 1))
    let stream = try server.connect()
    let start = ContinuousClock.now
    try stream.send("GET /hello HTTP/1.1\r\nX: ")
    var wasEnded = false
    while !wasEnded, start.duration(to: .now) < .seconds(20) {
      stall(.milliseconds(200))
      do { try stream.send("x") } catch is Broken { wasEnded = true }
    }
    #expect(wasEnded && start.duration(to: .now) < .seconds(6))
  }

  @Test("400 idle clients of another address do not keep a request from its answer", .timeLimit(.minutes(1)))
  func idleClients() throws {
    #expect(raiseDescriptorLimit(to: 2048))
    let server = try RunningServer(.hello)
    guard case .tcp(let address) = server.address, let other = SocketAddress("127.0.0.2:0") else { return }
    let idle = try (0..<400).map { _ in try TCPStream(to: address, from: other) }
    #expect(try server.get("/hello").status == 200)
    #expect(idle.count == 400)
  }

  @Test("connections beyond an address's limit are closed, and room is made when others end", .timeLimit(.minutes(1)))
  func perAddressLimit() throws {
    let server = try RunningServer(.hello, limits: HTTPServer.Limits(connectionsPerAddress: 2))
    let first = try server.connect()
    let second = try server.connect()
    try first.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try first.receive()
    let third = try server.connect()
    #expect(try third.receiveUntilEnd().bytes.isEmpty)
    second.close()
    try eventually("there is room again") { (try? server.get("/hello").status) == 200 }
  }
}
