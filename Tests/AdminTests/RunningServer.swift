import Addresses
import EventLoop
import Glibc
import TestKit

@testable import Admin

/// A server on a loop thread of its own, ended with the last reference.
final class RunningServer: Sendable {
  let address: AdminAddress
  private let thread: LoopThread
  private let slot = Slot()

  init(
    _ routes: RouteTable, at text: String = "127.0.0.1:0", limits: HTTPServer.Limits = HTTPServer.Limits()
  ) throws {
    let address = try AdminAddress(text)
    let thread = try LoopThread(name: "admin test")
    let started = Mailbox<Result<AdminAddress, AdminError>>()
    let slot = slot
    thread.loop.submit {
      let result = Result { () throws(AdminError) in
        try HTTPServer(loop: thread.loop, address: address, routes: routes, limits: limits)
      }
      slot.server = try? result.get()
      started.post(result.map(\.address))
    }
    self.thread = thread
    do {
      self.address = try started.next("the server's start").get()
    } catch {
      thread.stopAndJoin()
      throw error
    }
  }

  deinit {
    stop()
    thread.stopAndJoin()
  }

  /// Stops the server and waits for it.
  func stop() {
    let slot = slot
    let stopped = Mailbox<Void>()
    thread.loop.submit {
      slot.server?.stop()
      slot.server = nil
      stopped.post(())
    }
    _ = try? stopped.next("the server's end")
  }

  func connect() throws -> TCPStream {
    guard case .tcp(let address) = address else { throw TestFailure("\(address) is not TCP") }
    return try TCPStream(to: address)
  }

  /// Sends `bytes` on a connection of their own and returns all that comes until the server ends it.
  func exchange(_ bytes: String) throws -> String {
    let stream = try connect()
    try stream.send(bytes)
    return String(decoding: try stream.receiveUntilEnd().bytes, as: UTF8.self)
  }

  /// Asks the server, which lives until it has answered.
  func get(_ path: String) throws -> HTTPResponse {
    try withExtendedLifetime(self) { try AdminClient(address).get(path) }
  }

  /// Asks for the state, as ``get(_:)``.
  func state() throws -> AdminState { try withExtendedLifetime(self) { try AdminClient(address).state() } }

  /// The server, for the loop's thread alone.
  private final class Slot: @unchecked Sendable {
    var server: HTTPServer?
  }
}

extension RouteTable {
  /// `/hello` says hello.
  static var hello: RouteTable {
    var routes = RouteTable()
    routes.route("/hello") { _, responder in responder.respond(.text("hello")) }
    return routes
  }
}
