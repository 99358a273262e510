import Addresses
import EventLoop
import HTTPTransport
import TestKit
import Testing

@testable import Kubernetes

struct ClusterConnectionTests {
  @Test(.timeLimit(.minutes(1)))
  func `a kubeconfig's client asks the server with the token of the moment`() async throws {
    let seen = Mailbox<String>()
    let address = try #require(SocketAddress("127.0.0.1:0"))
    let server = try TestServer(on: address) { stream in
      while case .bytes(let bytes) = try stream.receive() {
        seen.post(String(decoding: bytes, as: UTF8.self))
        try stream.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
      }
    }
    let directory = try TestKit.TemporaryDirectory()
    try directory.write("token", "one")
    let path = try directory.write(
      "config", KubeConfigTests.config(cluster: "server: \"http://\(server.address)/base/\"", user: "tokenFile: token"))
    let thread = try LoopThread(name: "connection test")
    do {
      let client = try KubeConfig.load(path).client(thread.loop)
      #expect(try await client.get("/api/v1/nodes?limit=1") == Array("{}".utf8))
      try directory.replace("token", "two")
      _ = try await client.get("/api/v1/nodes")
    }
    thread.stopAndJoin()
    let requests = seen.all
    #expect(requests.first?.hasPrefix("GET /base/api/v1/nodes?limit=1 HTTP/1.1\r\n") == true)
    #expect(requests.first?.contains("\r\nAccept: application/json\r\n") == true)
    #expect(requests.first?.contains("\r\nAuthorization: Bearer one\r\n") == true)
    #expect(requests.last?.contains("\r\nAuthorization: Bearer two\r\n") == true)
    #expect(server.acceptedCount == 1)
  }
}
