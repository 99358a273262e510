import Addresses
import Synchronization
import TestKit
import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct LossTests {
  private static let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)

  private func target(_ server: TestKit.UDPServer) -> Target { Target(scheme: .udp, address: server.address) }

  @Test func `a datagram without a reply is lost after a second, and sent again`() throws {
    let count = Mailbox<Int>()
    let server = try TestKit.UDPServer(on: Self.any) { datagram in
      count.post(1)
      return count.all.count == 3 ? [] : [datagram.bytes]
    }
    let run = try Loads.ask(target(server), count: 5)
    #expect(run.units == 5)
    #expect(run.lost == 1)
    #expect(run.errorsByKind == [:])
    // Six datagrams, each with a number of its own.
    #expect(Set(server.received.map { Array($0.bytes[24..<32]) }).count == 6)
  }

  @Test func `in an open loop each request that was due is answered, though datagrams are lost`() throws {
    // Both flows wait for a lost one when the window ends, and requests wait for them.
    let count = Mutex(0)
    let server = try TestKit.UDPServer(on: Self.any) { datagram in
      let number = count.withLock { count in
        count += 1
        return count
      }
      return (3...4).contains(number) || (20...21).contains(number) ? [] : [datagram.bytes]
    }
    let run = try Loads.ask(target(server), concurrency: 2, rate: 20, seconds: 1.5)
    let due = Double(run.windowEnd - run.windowStart) / 1e9 * 20
    #expect(run.units == run.sent && abs(Double(run.units) - due) <= 1.5 && due >= 30)
    #expect(run.errorsByKind == [:])
    #expect(run.lost == 4)
    #expect(run.completedInWindow < run.units)
  }

  @Test func `a reply that comes too late is no error`() throws {
    // Every second request gets the reply of the first once more, before its own.
    let old = Mutex<[UInt8]>([])
    let server = try TestKit.UDPServer(on: Self.any) { datagram in
      let late = old.withLock { old in
        defer { old = datagram.bytes }
        return old
      }
      return late.isEmpty ? [datagram.bytes] : [late, datagram.bytes]
    }
    let run = try Loads.ask(target(server), count: 50)
    #expect(run.units == 50)
    #expect(run.errorsByKind == [:])
  }

  @Test func `a reply that nobody asked for is wrong`() throws {
    let server = try TestKit.UDPServer(on: Self.any) { datagram in [Array(datagram.bytes.reversed())] }
    let run = try Loads.ask(target(server))
    #expect(run.units == 0)
    #expect(run.errors.total > 0 && run.errors.total == run.errorsByKind[.wrongReply])
  }

  @Test func `nobody answers: all is lost, and the run ends with an error`() throws {
    let socket = try UDPSocket(on: Self.any)
    let run = try Loads.ask(
      Target(scheme: .udp, address: socket.address), concurrency: 2, seconds: 60, patience: 2.5)
    #expect(run.units == 0)
    #expect(run.lost >= 2)
    #expect(run.errorsByKind == [.timeout: 2])
  }

  @Test func `a short window without a reply is an error as well`() throws {
    let socket = try UDPSocket(on: Self.any)
    let run = try Loads.ask(Target(scheme: .udp, address: socket.address), concurrency: 2, seconds: 0.2)
    #expect(run.units == 0)
    #expect(run.lost == 2)
    #expect(run.errorsByKind == [.timeout: 1])
  }

  @Test func `a stream's datagrams that do not arrive are lost`() throws {
    // Counts as the server does, and forgets every tenth; does not answer the first question.
    struct Seen { var count: UInt64 = 0, kept: UInt64 = 0, questions = 0 }
    let seen = Mutex(Seen())
    let server = try TestKit.UDPServer(on: Self.any) { datagram in
      seen.withLock { seen in
        if datagram.bytes[7] & 2 == 0 {
          seen.count += 1
          if seen.count % 10 != 0 { seen.kept += 1 }
          return []
        }
        seen.questions += 1
        let numbers = [seen.kept, seen.kept * 1200]
        let answer = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
        return seen.questions == 1 ? [] : [Array(datagram.bytes[..<32]) + answer]
      }
    }
    let run = try Loads.stream(target(server), count: 1000)
    #expect(run.sent == 1000)
    #expect(run.units == 900)
    #expect(run.lost == 100)
    #expect(run.errorsByKind == [:])
  }

  @Test func `a stream whose count nobody tells ends with an error`() throws {
    let socket = try UDPSocket(on: Self.any)
    let run = try Loads.stream(Target(scheme: .udp, address: socket.address), count: 100, patience: 0.7)
    #expect(run.sent == 100)
    #expect(run.errorsByKind == [.timeout: 1])
  }
}
