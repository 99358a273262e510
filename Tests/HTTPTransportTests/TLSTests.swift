import HTTPTransport
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  private let certificates: Certificates
  private let ca: PEMSource

  init() throws {
    certificates = try Certificates.shared.get()
    ca = .file(certificates.file("ca.pem"))
  }

  private func bytes(_ name: String) throws -> PEMSource { .bytes(Array(try certificates.text(name).utf8)) }

  /// libcurl's words where the server was refused, or refused us.
  private func reason(_ answer: Result<String, HTTPTransportError>) throws -> String {
    guard case .failure(.transfer(let code, let reason)) = answer else { throw TestFailure("\(answer)") }
    #expect(code > 0)
    #expect(!reason.contains("PRIVATE") && !reason.contains("\n"))
    return reason
  }

  @Test func `a server whose certificate the given authority signed is trusted, and only that one`() async throws {
    let server = try TLSServer("server")
    let expected = "None 127.0.0.1:\(server.port) None"
    #expect(try await server.ask(TLSOptions(authorities: ca)) == .success(expected))
    #expect(try await server.ask(TLSOptions(authorities: bytes("ca.pem"))) == .success(expected))
    #expect(try await server.ask(TLSOptions(isInsecure: true)) == .success(expected))
    let other = PEMSource.file(certificates.file("other.pem"))
    for tls in [TLSOptions(), TLSOptions(authorities: other), TLSOptions(authorities: try bytes("other.pem"))] {
      #expect(try reason(await server.ask(tls)).contains("SSL certificate problem"))
    }
  }

  @Test func `an expired certificate is refused, and said to be that`() async throws {
    let server = try TLSServer("expired")
    let answer = try await server.ask(TLSOptions(authorities: ca))
    #expect(try reason(answer) == "SSL certificate problem: certificate has expired")
  }

  @Test func `a certificate for another name is refused, unless that is the name to ask for`() async throws {
    let server = try TLSServer("named")
    #expect(try reason(await server.ask(TLSOptions(authorities: ca))).contains("127.0.0.1"))
    // The server is asked for that name, is told its own host, and nothing needs to resolve the name.
    let answer = try await server.ask(TLSOptions(authorities: ca, serverName: "roadstead.test"))
    #expect(answer == .success("roadstead.test 127.0.0.1:\(server.port) None"))
    let wrong = try await server.ask(TLSOptions(authorities: ca, serverName: "other.test"))
    #expect(try reason(wrong).contains("other.test"))
  }

  @Test func `an address may be the name to ask for`() async throws {
    let server = try TLSServer("server")
    let answer = try await server.ask(TLSOptions(authorities: ca, serverName: "127.0.0.1"), host: "localhost")
    #expect(answer == .success("None localhost:\(server.port) None"))
  }

  @Test func `a server that wants to know its client gets the certificate`() async throws {
    let server = try TLSServer("server", clients: true)
    let expected = "None 127.0.0.1:\(server.port) client"
    let files = TLSOptions(
      authorities: ca, certificate: .file(certificates.file("client.pem")),
      privateKey: .file(certificates.file("client.key")))
    #expect(try await server.ask(files) == .success(expected))
    let texts = TLSOptions(
      authorities: ca, certificate: try bytes("client.pem"), privateKey: try bytes("client.key"))
    #expect(try await server.ask(texts) == .success(expected))
    #expect(try !reason(await server.ask(TLSOptions(authorities: ca))).isEmpty)
    var stranger = texts
    stranger.certificate = try bytes("stranger.pem")
    stranger.privateKey = try bytes("stranger.key")
    #expect(try !reason(await server.ask(stranger)).isEmpty)
  }

  @Test func `keys that do not fit, are locked, missing or none are errors that do not wait for anybody`() async throws
  {
    let server = try TLSServer("server", clients: true)
    var tls = TLSOptions(authorities: ca, certificate: .file(certificates.file("client.pem")))
    let keys: [PEMSource] = [
      .file(certificates.file("locked.key")), try bytes("locked.key"), try bytes("stranger.key"),
      .file("/nowhere/client.key"), .bytes(Array("s3cret".utf8)), .bytes([]),
    ]
    for key in keys {
      tls.privateKey = key
      let reason = try reason(await server.ask(tls))
      #expect(!reason.contains("s3cret"))
    }
    tls = TLSOptions(authorities: .file("/nowhere/ca.pem"))
    #expect(try reason(await server.ask(tls)).contains("/nowhere/ca.pem"))
  }

  @Test func `authorities in a file are read anew for each connection`() async throws {
    let server = try TLSServer("server")
    let directory = try TemporaryDirectory()
    let file = try directory.write("ca.crt", try certificates.text("ca.pem"))
    var options = TransportOptions()
    options.tls.authorities = .file(file)
    let transport = CurlTransport(loop: try Rig.loop, options: options)
    let request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
    for (name, isTrusted) in [("ca.pem", true), ("other.pem", false), ("ca.pem", true), ("other.pem", false)] {
      try directory.replace("ca.crt", try certificates.text(name))
      do throws(HTTPTransportError) {
        _ = try await transport.send(request)
        #expect(isTrusted)
      } catch {
        #expect(!isTrusted, "\(error)")
      }
    }
  }

  @Test func `HTTPS to a server of HTTP, and the other way round, is an error`() async throws {
    let rig = try Rig({ $0.connectTimeout = 2 }) { stream in
      _ = try stream.receive()
      try stream.answer("hello")
    }
    let secure = HTTPRequest("GET", "https://\(rig.server.address)/")
    #expect(await failure { () async throws(HTTPTransportError) in _ = try await rig.transport.send(secure) } != nil)
    let server = try TLSServer("server")
    let plain = HTTPRequest("GET", "http://127.0.0.1:\(server.port)/")
    #expect(await failure { () async throws(HTTPTransportError) in _ = try await rig.transport.send(plain) } != nil)
  }
}
