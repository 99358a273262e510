import Addresses
import EventLoop
import Glibc
import HTTPTransport
import TestKit
import Testing

/// A scripted server and a transport to it.
struct Rig: Sendable {
  let server: TestServer
  let transport: CurlTransport

  // One loop for all tests, which work on their own connections.
  private static let thread = Result { try LoopThread(name: "transport test") }

  static var loop: EventLoop { get throws { try thread.get().loop } }

  init(
    receiveBuffer: Int? = nil, _ change: (inout TransportOptions) -> Void = { _ in },
    _ handler: @escaping TestServer.Handler
  ) throws {
    server = try TestServer(on: .anyLoopback, receiveBuffer: receiveBuffer, handler)
    var options = TransportOptions()
    change(&options)
    transport = CurlTransport(loop: try Self.loop, options: options)
  }

  func request(_ path: String = "/", _ method: String = "GET", body: [UInt8]? = nil) -> HTTPRequest {
    HTTPRequest(method, "http://\(server.address)\(path)", body: body)
  }

  func get(_ path: String = "/") async throws(HTTPTransportError) -> HTTPResponse {
    try await transport.send(request(path))
  }

  /// Of the transport, to the server.
  var connections: Int { server.connections }
}

extension TestServer {
  /// How many sockets of this process are connected to it.
  var connections: Int {
    listDirectory("/proc/self/fd").compactMap { CInt($0) }.count { descriptor in
      var peer = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      // `peer` and `length` live through the call.
      let result = unsafe withUnsafeMutablePointer(to: &peer) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(descriptor, $0, &length) }
      }
      return result == 0 && peer.sin_family == AF_INET && UInt16(bigEndian: peer.sin_port) == address.port
    }
  }
}

extension SocketAddress {
  /// Any port of 127.0.0.1.
  static var anyLoopback: SocketAddress {
    guard let address = SocketAddress("127.0.0.1:0") else { preconditionFailure("127.0.0.1:0 is no address") }
    return address
  }
}

extension TCPStream {
  /// Reads one request: its head, and the body that `Content-Length` tells. nil at the end of the connection.
  func nextRequest(within span: Duration = .seconds(30)) throws -> (head: String, body: [UInt8])? {
    var bytes: [UInt8] = []
    while true {
      if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let length =
          head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
          .flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
        var body = Array(bytes[end.upperBound...])
        if body.count < length { body += try receive(exactly: length - body.count) }
        return (head, body)
      }
      guard case .bytes(let more) = try receive(within: span) else { return nil }
      bytes += more
    }
  }

  /// Answers 200 with `body`.
  func answer(_ body: String, _ headers: String = "") throws {
    try send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }
}

/// As TestKit's `eventually`, without blocking a thread that tasks need.
func soon(_ what: String, within span: Duration = .seconds(10), _ condition: () throws -> Bool) async throws {
  let end = ContinuousClock.now + span
  while try !condition() {
    guard ContinuousClock.now < end else { throw TestFailure("\(what): not within \(span)") }
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// All that is left of a body.
func rest(of body: HTTPBody) async throws(HTTPTransportError) -> [UInt8] {
  var bytes: [UInt8] = []
  while let chunk = try await body.next() { bytes += chunk }
  return bytes
}

/// The error that `body` throws; records an issue when there is none.
func failure(_ body: () async throws(HTTPTransportError) -> Void) async -> HTTPTransportError? {
  do throws(HTTPTransportError) {
    try await body()
  } catch { return error }
  Issue.record("no error")
  return nil
}
