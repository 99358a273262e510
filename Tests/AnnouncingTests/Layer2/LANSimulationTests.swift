import TestKit
import Testing

@testable import Announcing

/// `ROADSTEAD_SEED=` replays: it is the seed of the first world.
@Suite struct LANSimulationTests {
  @Test func `whatever happens on a LAN, an address is soon on one host, and on no two for long`() {
    let seed = testSeed()
    var seen: [String: Int] = [:]
    for world in 0..<60 {
      var lan = SimulatedLAN(seed: seed &+ UInt64(world))
      for _ in 0..<8 where lan.wrong.isEmpty {
        for _ in 0..<Int.random(in: 1...15, using: &lan.random) where lan.wrong.isEmpty { Self.disturb(&lan) }
        Self.settle(&lan)
      }
      seen.merge(lan.seen, uniquingKeysWith: +)
      if !lan.wrong.isEmpty { return Self.fail(lan, seed &+ UInt64(world)) }
    }
    // A world in which nothing happens proves nothing.
    for what in ["adoption", "failed put", "forgery", "lapse", "overlap", "yield"] {
      #expect(seen[what, default: 0] > 0, "no \(what) with ROADSTEAD_SEED=\(seed)")
    }
    print(seen.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
  }

  @Test func `with a Lease, an address is soon on the host that has it, which gives it to nobody`() {
    let seed = testSeed()
    var seen: [String: Int] = [:]
    for world in 0..<60 {
      var lan = SimulatedLAN(seed: seed &+ UInt64(world))
      for _ in 0..<8 where lan.wrong.isEmpty {
        for _ in 0..<Int.random(in: 1...15, using: &lan.random) where lan.wrong.isEmpty {
          if lan.random.chance(25) {
            lan.giveLease(to: lan.random.chance(75) ? lan.random.pick(Array(lan.hosts.indices)) : nil)
          }
          Self.disturb(&lan)
        }
        Self.settle(&lan)
      }
      seen.merge(lan.seen, uniquingKeysWith: +)
      if !lan.wrong.isEmpty { return Self.fail(lan, seed &+ UInt64(world)) }
    }
    for what in ["overlap", "rival", "unverified yield"] {
      #expect(seen[what, default: 0] > 0, "no \(what) with ROADSTEAD_SEED=\(seed)")
    }
    print(seen.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
  }

  @Test func `when a split LAN comes together again, one host stays and the address is never away`() {
    let seed = testSeed()
    for world in 0..<20 {
      var lan = SimulatedLAN(seed: seed &+ UInt64(world))
      for host in lan.hosts.indices {
        lan.move(host, to: host % 2)
        lan.start(host)
      }
      lan.run(until: Double.random(in: 20...90, using: &lan.random))
      lan.discovery = ClaimTimes().laterAdvertisements + 0.05 + SimulatedLAN.delay
      lan.isNeverAway = true
      for host in lan.hosts.indices { lan.move(host, to: 0) }
      lan.run(until: lan.now + lan.discovery + SimulatedLAN.longestDispute)
      lan.checkSettled()
      if !lan.wrong.isEmpty { return Self.fail(lan, seed &+ UInt64(world)) }
    }
  }

  private static func fail(_ lan: SimulatedLAN, _ seed: UInt64) {
    Issue.record("ROADSTEAD_SEED=\(seed): \(lan.wrong.prefix(3))\n\(lan.trace.joined(separator: "\n"))")
  }

  private static func disturb(_ lan: inout SimulatedLAN) {
    let host = lan.random.pick(Array(lan.hosts.indices))
    let address = lan.random.pick(lan.addresses)
    switch Int.random(in: 0..<100, using: &lan.random) {
    case 0..<20: lan.start(host)
    case 20..<25: lan.stop(host)
    case 25..<33: lan.kill(host)
    case 33..<48: lan.stall(host, for: lan.random.pick([0.05, 0.15, 0.4, 1, 4, 7.4, 8.1, 12, 20]))
    case 48..<60: lan.setLink(host, isUp: !lan.hosts[host].isLinkUp)
    case 60..<68: lan.drop(address, host)
    case 68..<74: lan.setWanted(address, host, lan.random.chance(60))
    case 74..<78: lan.failPuts(host, lan.random.chance(50))
    case 78..<82: lan.setCutOff(host, lan.hosts[host].part == 0)
    case 82..<86: loseUnseen(&lan)
    case 86..<89: stallWhileProbing(&lan, host)
    default: lan.forge()
    }
    lan.run(until: lan.now + lan.random.pick([0, 0.01, 0.1, 0.2, 0.5, 0.7, 1, 3, 6, 9]))
  }

  /// A holder dies or stands still, and its link is away for long enough that another takes the address.
  private static func loseUnseen(_ lan: inout SimulatedLAN) {
    guard let host = lan.hosts.firstIndex(where: { !$0.kernel.isEmpty && $0.isAwake }) else { return }
    if lan.random.chance(50) { lan.kill(host) } else { lan.stall(host, for: lan.random.pick([6, 7, 12])) }
    lan.setLink(host, isUp: false)
    lan.run(until: lan.now + Double.random(in: 4...7.5, using: &lan.random))
    lan.setLink(host, isUp: true)
    if lan.random.chance(50) { lan.start(host) }
  }

  /// One stands still when all its probes are sent, and another takes the address meanwhile.
  private static func stallWhileProbing(_ lan: inout SimulatedLAN, _ host: Int) {
    for host in lan.hosts.indices { lan.stop(host) }
    lan.start(host)
    lan.run(until: lan.now + Double.random(in: 0.41...0.59, using: &lan.random))
    lan.stall(host, for: Double.random(in: 0.05...4, using: &lan.random))
    lan.start((host + 1) % lan.hosts.count)
  }

  /// Ends what was begun, and waits for as long as it may take: the lifetime of what a dead host left, and the longest
  /// time until someone asks again and has it.
  private static func settle(_ lan: inout SimulatedLAN) {
    for host in lan.hosts.indices {
      lan.failPuts(host, false)
      lan.wake(host)
      lan.setCutOff(host, false)
      if lan.random.chance(70) { lan.setLink(host, isUp: true) }
    }
    lan.run(until: lan.now + 15)
    lan.checkSettled()
  }
}
