import Testing

@testable import roadstead_load

@Suite struct TargetTests {
  @Test func `a target is a scheme, an address and for HTTP a path`() throws {
    #expect(try Target.parse("tcp://127.0.0.1:80").description == "tcp://127.0.0.1:80")
    #expect(try Target.parse("udp://[::1]:53").description == "udp://[::1]:53")
    #expect(try Target.parse("http://127.0.0.1:80").description == "http://127.0.0.1:80/")
    #expect(try Target.parse("http://127.0.0.1:80/a/b?c").path == "/a/b?c")
  }

  @Test(arguments: [
    "", "127.0.0.1:80", "tcp://", "tcp://localhost:80", "tcp://1.2.3.4", "tcp://1.2.3.4:99999",
    "https://1.2.3.4:80", "http://1.2.3.4:80/a b", "http://1.2.3.4:80/\r\nX: y", "tcp://1.2.3.4:80/path",
  ])
  func `what is no target is refused`(text: String) {
    #expect(throws: (any Error).self) { try Target.parse(text) }
  }

  @Test func `port 0 is for who listens`() throws {
    #expect(throws: (any Error).self) { try Target.parse("tcp://127.0.0.1:0") }
    #expect(try Target.parse("tcp://127.0.0.1:0", isListened: true).address.port == 0)
  }

  @Test func `a work takes only the schemes it knows`() {
    #expect(throws: (any Error).self) { try Target.parse("udp://127.0.0.1:80", schemes: [.tcp, .http]) }
  }

  @Test func `sources come one after the other, and again`() throws {
    var sources = try SourceAddresses.parse("127.0.0.8-127.0.0.10")
    #expect(
      (0..<5).map { _ in sources.next().description }.joined(separator: " ")
        == "127.0.0.8 127.0.0.9 127.0.0.10 127.0.0.8 127.0.0.9")
    #expect(throws: (any Error).self) { try SourceAddresses.parse("127.0.0.9-127.0.0.8") }
    #expect(throws: (any Error).self) { try SourceAddresses.parse("here") }
  }

  @Test func `only loopback gets sources by itself`() throws {
    #expect(SourceAddresses.forConnections(to: try Target.parse("tcp://127.3.0.1:80")) != nil)
    #expect(SourceAddresses.forConnections(to: try Target.parse("tcp://10.0.0.1:80")) == nil)
    #expect(SourceAddresses.forConnections(to: try Target.parse("tcp://[::1]:80")) == nil)
  }
}
