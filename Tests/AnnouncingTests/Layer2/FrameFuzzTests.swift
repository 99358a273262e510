import Addresses
import TestKit
import Testing

@testable import Announcing

@Suite struct FrameFuzzTests {
  /// Valid ones, and one that takes two changes at once to come to: a solicitation from no address with an option.
  static let frames: [[UInt8]] = [
    ARPPacketTests.request, NeighborMessageTests.solicitation, NeighborMessageTests.probe,
    NeighborMessageTests.advertisement,
    NeighborMessageTests.summed(
      patched(NeighborMessageTests.solicitation, at: 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
  ]

  /// Reads `bytes` as both; what is read must be written as what reads the same.
  private func read(_ bytes: [UInt8], _ drops: inout Set<FrameDrop>, _ seed: UInt64) {
    do {
      let packet = try ARPPacket(bytes.span)
      let again = try ARPPacket(packet.frame().span)
      if packet != again { Issue.record("ROADSTEAD_SEED=\(seed): \(bytes) is \(packet), then \(again)") }
    } catch {
      drops.insert(error)
    }
    do {
      let message = try NeighborMessage(bytes.span)
      let again = try NeighborMessage(message.frame().span)
      if message != again { Issue.record("ROADSTEAD_SEED=\(seed): \(bytes) is \(message), then \(again)") }
    } catch {
      drops.insert(error)
    }
  }

  @Test func `no bytes whatever end the process, and what is read stays the same when written`() {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    var drops: Set<FrameDrop> = []
    for frame in Self.frames {
      for count in 0...frame.count { read(Array(frame[..<count]), &drops, seed) }
    }
    for _ in 0..<20_000 {
      var bytes = random.pick(Self.frames)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = random.pick([0, 1, 2, 0x7F, 0x80, 0xFF])
        case 2: bytes[place] = .random(in: .min ... .max, using: &random)
        case 3: bytes.remove(at: place)
        case 4: bytes.insert(.random(in: .min ... .max, using: &random), at: place)
        default: bytes.append(.random(in: .min ... .max, using: &random))
        }
        if bytes.isEmpty { break }
      }
      // Else hardly any mutation would pass the checksum.
      if bytes.count >= 78, random.chance(70), Int(bytes.span.uint16(at: 18)) <= bytes.count - 54,
        bytes.span.uint16(at: 18) >= 4
      {
        bytes = NeighborMessageTests.summed(bytes)
      }
      read(bytes, &drops, seed)
    }
    for _ in 0..<10_000 {
      let count = Int.random(in: 0...120, using: &random)
      read((0..<count).map { _ in .random(in: .min ... .max, using: &random) }, &drops, seed)
    }
    let missed = Set(FrameDrop.allCases).subtracting(drops)
    #expect(missed.isEmpty, "ROADSTEAD_SEED=\(seed)")
  }
}
