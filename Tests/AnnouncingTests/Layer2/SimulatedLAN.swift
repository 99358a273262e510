import Addresses
import TestKit

@testable import Announcing

/// Hosts that claim the same addresses on one LAN. Frames are late and never lost; hosts stop, die, stand still, lose
/// their links and their addresses; someone forges frames. Seeded: the same seed, the same LAN.
struct SimulatedLAN {
  /// How late a frame comes at most, in seconds.
  static let delay = 0.05
  /// The kernel takes an address away a little after its lifetime.
  static let lapseSlack = 0.3
  /// How long two may have one address, of whom one stands still or is dead: until it lapses.
  static let longestOverlap = Double(ClaimTimes.longestLifetime) + lapseSlack
  /// How long two may that both run, once something made them find each other: until that is looked into, which they
  /// do each 5 s, and the second of them has given way.
  static let longestDispute = 5.05 + 1.3 + delay

  private struct InFlight {
    let at: Double
    let frame: [UInt8]
    let host: Int
  }

  var random: SeededRandom
  let addresses: [IPAddress]
  private(set) var hosts: [SimulatedHost]
  private(set) var now = 0.0
  private(set) var wrong: [String] = []
  /// The last things that happened.
  private(set) var trace: [String] = []
  /// What came about how often, for a test that wants to know that it tests anything.
  private(set) var seen: [String: Int] = [:]
  /// How long two may have an address before they can have heard of each other.
  var discovery = 0.0
  /// Whether each address must be on some host all the time.
  var isNeverAway = false
  private var wire: [InFlight] = []
  private var overlapSince: [IPAddress: Double] = [:]
  private var lastHeld: [IPAddress: [Int: Double]] = [:]
  private var lastForged: [IPAddress: Double] = [:]
  private var putsFail: Set<Int> = []

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    let all = [ip("192.0.2.9"), ip("2001:db8::9"), ip("192.0.2.10"), ip("2001:db8::a")]
    addresses = Array(all[..<Int.random(in: 1...all.count, using: &random)])
    hosts = (1...Int.random(in: 2...4, using: &random)).map { SimulatedHost(mac("02:00:00:00:00:0\($0)")) }
    hosts.shuffle(using: &random)
    for host in hosts.indices { hosts[host].wanted = Set(addresses) }
  }

  private mutating func note(_ text: @autoclosure () -> String) {
    trace.append("\((now * 1000).rounded() / 1000) \(text())")
    if trace.count > 120 { trace.removeFirst(60) }
  }

  private mutating func count(_ what: String) { seen[what, default: 0] += 1 }

  // MARK: - What happens to hosts

  mutating func start(_ host: Int) {
    guard hosts[host].process == nil else { return }
    note("start \(host)")
    hosts[host].process = SimulatedHost.Process()
    hosts[host].lastDisturbed = now
    let left = Set(hosts[host].kernel.keys)
    for address in left where !hosts[host].isLinkUp || !hosts[host].wanted.contains(address) {
      hosts[host].kernel[address] = nil
    }
    if hosts[host].isLinkUp { claimAll(host, adopting: left) }
  }

  private mutating func claimAll(_ host: Int, adopting left: Set<IPAddress>) {
    for address in addresses where hosts[host].wanted.contains(address) { claim(address, host, left.contains(address)) }
  }

  private mutating func claim(_ address: IPAddress, _ host: Int, _ isLeft: Bool) {
    let claim = AddressClaim(address, mac: hosts[host].mac, tenure: hosts[host].tenure)
    hosts[host].process?.claims[address] = claim
    if isLeft { count("adoption") }
    hand(.start(adopting: isLeft), address, host)
  }

  mutating func stop(_ host: Int) {
    guard hosts[host].isAwake else { return }
    note("stop \(host)")
    for address in addresses { hand(.withdraw, address, host) }
    hosts[host].process = nil
  }

  mutating func kill(_ host: Int) {
    note("kill \(host)")
    hosts[host].process = nil
  }

  mutating func stall(_ host: Int, for seconds: Double) {
    guard hosts[host].isAwake else { return }
    note("stall \(host) for \(seconds)")
    hosts[host].process?.stalledUntil = now + seconds
  }

  mutating func wake(_ host: Int) {
    guard hosts[host].process?.stalledUntil != nil else { return }
    note("wake \(host)")
    hosts[host].process?.stalledUntil = nil
    hosts[host].lastDisturbed = now
    // Which watcher's turn comes first is the event loop's affair.
    let timersFirst = random.chance(50)
    if timersFirst { due(host) }
    let inbox = hosts[host].process?.inbox ?? []
    hosts[host].process?.inbox = []
    for note in inbox { read(note, host) }
    due(host)
  }

  mutating func setLink(_ host: Int, isUp: Bool) {
    guard hosts[host].isLinkUp != isUp else { return }
    note("link of \(host) is \(isUp ? "up" : "down")")
    hosts[host].isLinkUp = isUp
    hosts[host].lastDisturbed = now
    hosts[host].lastReached = now
    post(isUp ? .linkBack : .linkLost, host)
  }

  /// Cuts a host off, or ends that; the end only is noticed.
  mutating func setCutOff(_ host: Int, _ isCutOff: Bool) {
    guard (hosts[host].part != 0) != isCutOff else { return }
    move(host, to: isCutOff ? host + 1 : 0)
    if !isCutOff { post(.flap, host) }
  }

  mutating func drop(_ address: IPAddress, _ host: Int) {
    guard hosts[host].kernel.removeValue(forKey: address) != nil else { return }
    note("\(address) is taken off \(host)")
    post(.dropped(address), host)
  }

  mutating func setWanted(_ address: IPAddress, _ host: Int, _ isWanted: Bool) {
    guard hosts[host].isAwake, hosts[host].wanted.contains(address) != isWanted else { return }
    note("\(host) \(isWanted ? "wants" : "does not want") \(address)")
    if isWanted {
      hosts[host].wanted.insert(address)
      if hosts[host].isLinkUp { claim(address, host, false) }
    } else {
      hosts[host].wanted.remove(address)
      hand(.withdraw, address, host)
      hosts[host].process?.claims[address] = nil
    }
  }

  /// Gives the Lease to a host, or to none that can say so; no two are sure of it at one time.
  mutating func giveLease(to holder: Int?) {
    note("\(holder.map { "\($0)" } ?? "nobody") has the Lease")
    let places = hosts.indices.sorted { first, _ in first != holder }
    for host in places {
      let tenure = host == holder ? Tenure.fenced : .unverified
      guard hosts[host].tenure != tenure else { continue }
      hosts[host].tenure = tenure
      post(.tenure(tenure), host)
    }
  }

  mutating func failPuts(_ host: Int, _ fail: Bool) {
    if fail { putsFail.insert(host) } else { putsFail.remove(host) }
  }

  /// Moves a host to a part of the LAN, which its interface does not notice.
  mutating func move(_ host: Int, to part: Int) {
    note("\(host) is in part \(part)")
    hosts[host].part = part
    hosts[host].lastDisturbed = now
    hosts[host].lastReached = now
  }

  /// One or two frames about an address, in a row, by someone who is not there or pretends to be a host.
  mutating func forge() {
    let address = random.pick(addresses)
    // Later than any look into the last ones.
    guard now - (lastForged[address] ?? -100) > 3 else { return }
    let victim = random.pick(Array(hosts.indices))
    let liar = random.chance(70) ? mac("02:00:00:00:00:\(random.pick(["00", "77"]))") : random.pick(hosts).mac
    let rounds = Int.random(in: 1...2, using: &random)
    for round in 0..<rounds {
      let frame = forged(address, liar, hosts[victim].mac)
      wire.append(
        InFlight(at: now + Double(round) * Double.random(in: 0...0.4, using: &random), frame: frame, host: victim))
    }
    lastForged[address] = now + 0.4
    note("\(rounds) forged of \(address) by \(liar) to \(victim)")
    count("forgery")
  }

  private mutating func forged(_ address: IPAddress, _ liar: MACAddress, _ victim: MACAddress) -> [UInt8] {
    guard address.family == .v4 else {
      return random.chance(80)
        ? NeighborMessage.unsolicitedAdvertisement(for: address, from: liar).frame()
        : NeighborMessage.duplicateProbe(for: address, from: liar).frame()
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return ARPPacket.gratuitousRequest(for: address, from: liar).frame()
    case 1: return ARPPacket.probe(for: address, from: liar).frame()
    default:
      return ARPPacket(
        from: liar, to: victim, .reply, sender: address, targetMAC: victim, target: IPAddress(v4: 0)
      ).frame()
    }
  }

  // MARK: - Time

  /// Lets time pass until `end`, with everything that falls due.
  mutating func run(until end: Double) {
    while wrong.isEmpty {
      let next = min(wire.map(\.at).min() ?? .infinity, hosts.map(\.next).min() ?? .infinity)
      guard next <= end else { break }
      now = max(now, next)
      for host in hosts.indices { lapse(host) }
      deliver()
      for host in hosts.indices { turn(host) }
      check()
    }
    guard wrong.isEmpty else { return }
    now = max(now, end)
    check()
  }

  private mutating func lapse(_ host: Int) {
    for address in addresses {
      guard let end = hosts[host].kernel[address], end <= now else { continue }
      if hosts[host].isAwake { wrong.append("\(address) lapses on \(host), which runs") }
      count("lapse")
      note("\(address) lapses on \(host)")
      hosts[host].kernel[address] = nil
      hosts[host].lapsed.insert(address)
      // Or is lost, where the process does not read.
      if random.chance(50) { post(.dropped(address), host) }
    }
  }

  private mutating func deliver() {
    while let place = wire.indices.filter({ wire[$0].at <= now }).min(by: { wire[$0].at < wire[$1].at }) {
      let arrived = wire.remove(at: place)
      guard hosts[arrived.host].isLinkUp else { continue }
      if let answer = hosts[arrived.host].answer(to: arrived.frame) { send(answer, from: arrived.host) }
      post(.frame(arrived.frame), arrived.host)
    }
  }

  private mutating func turn(_ host: Int) {
    guard let process = hosts[host].process else { return }
    if let end = process.stalledUntil {
      if end <= now { wake(host) }
    } else {
      due(host)
    }
  }

  private mutating func due(_ host: Int) {
    for address in addresses {
      if let deadline = hosts[host].process?.claims[address]?.deadline, deadline <= now { hand(.due, address, host) }
    }
  }

  private mutating func send(_ frame: [UInt8], from sender: Int) {
    guard hosts[sender].isLinkUp else { return }
    let destination = frame.span.mac(at: 0)
    for host in hosts.indices
    where host != sender && hosts[host].part == hosts[sender].part
      && (destination.isMulticast || destination == hosts[host].mac)
    {
      wire.append(InFlight(at: now + Double.random(in: 0...Self.delay, using: &random), frame: frame, host: host))
    }
  }

  // MARK: - The process

  private mutating func post(_ note: SimulatedHost.Note, _ host: Int) {
    guard hosts[host].process != nil else { return }
    if hosts[host].isAwake { read(note, host) } else { hosts[host].process?.inbox.append(note) }
  }

  private mutating func read(_ note: SimulatedHost.Note, _ host: Int) {
    switch note {
    case .frame(let frame):
      let own: Set = [hosts[host].mac]
      let sighting =
        if let packet = try? ARPPacket(frame.span) {
          Sighting(packet, own: own)
        } else {
          (try? NeighborMessage(frame.span)).flatMap { Sighting($0, own: own) }
        }
      if let sighting { hand(.sighted(sighting.kind, by: sighting.mac), sighting.address, host) }
    case .dropped(let address): hand(.dropped, address, host)
    case .linkLost:
      for address in addresses { hand(.linkLost(.unusableInterface("eth0", .hasNoCarrier)), address, host) }
      hosts[host].process?.claims = [:]
    case .linkBack: claimAll(host, adopting: [])
    case .tenure(let tenure): for address in addresses { hand(.tenure(tenure), address, host) }
    case .flap: for address in addresses { hand(.linkLayerAddressChanged(hosts[host].mac), address, host) }
    }
  }

  private mutating func hand(_ event: AddressClaim.Event, _ address: IPAddress, _ host: Int) {
    guard var claim = hosts[host].process?.claims[address] else { return }
    let wasHeld = claim.isHeld
    var actions: [AddressClaim.Action] = []
    claim.handle(event, now: now, unixTime: Int(now), using: &random, actions: &actions)
    hosts[host].process?.claims[address] = claim
    if !actions.isEmpty { note("\(host) \(address) \(event): \(actions), \(claim.status)") }
    // One that found itself lapsed probes: it is no holder any more.
    if wasHeld, !actions.contains(.sendProbe), case .waiting(.addressInUse, _) = claim.state {
      gaveWay(address, host, claim.tenure)
    }
    if claim.rival != nil { count("rival") }
    for action in actions {
      switch action {
      case .sendProbe: send(probe(address, hosts[host].mac), from: host)
      case .put:
        if putsFail.contains(host) {
          count("failed put")
          return hand(.putFailed(.system("no")), address, host)
        }
        judgePut(address, host, isRenewal: wasHeld)
        let slack = Double.random(in: 0...Self.lapseSlack, using: &random)
        hosts[host].kernel[address] = now + Double(ClaimTimes.longestLifetime) + slack
      case .remove:
        // The kernel tells of it, as of any other.
        if hosts[host].kernel.removeValue(forKey: address) != nil { post(.dropped(address), host) }
      case .advertise: for frame in advertisements(address, hosts[host].mac) { send(frame, from: host) }
      case .changed: break
      }
    }
  }

  private func probe(_ address: IPAddress, _ mac: MACAddress) -> [UInt8] {
    address.family == .v4
      ? ARPPacket.probe(for: address, from: mac).frame()
      : NeighborMessage.duplicateProbe(for: address, from: mac).frame()
  }

  private func advertisements(_ address: IPAddress, _ mac: MACAddress) -> [[UInt8]] {
    address.family == .v4
      ? [
        ARPPacket.gratuitousRequest(for: address, from: mac).frame(),
        ARPPacket.gratuitousReply(for: address, from: mac).frame(),
      ] : [NeighborMessage.unsolicitedAdvertisement(for: address, from: mac).frame()]
  }

  // MARK: - What must hold

  private mutating func gaveWay(_ address: IPAddress, _ host: Int, _ tenure: Tenure) {
    switch tenure {
    case .alone: break
    case .fenced: return wrong.append("\(host) gives \(address) up, which is its own")
    // Also to a host that says that it is about to take it.
    case .unverified: return count("unverified yield")
    }
    // Six windows of answers at most, and their delay.
    let isRivalReal = (lastHeld[address] ?? [:]).contains { $0.key != host && now - $0.value < 1.5 }
    count("yield")
    if !isRivalReal { wrong.append("\(host) gives \(address) up to nobody") }
  }

  private mutating func judgePut(_ address: IPAddress, _ host: Int, isRenewal: Bool) {
    let wasLapsed = hosts[host].lapsed.remove(address) != nil
    if isRenewal, wasLapsed { wrong.append("\(host) renews \(address), which has lapsed") }
    guard !isRenewal, hosts[host].kernel[address] == nil else { return }
    // Who was not cut off while it asked was told.
    let others = hosts.indices.filter { other in
      other != host && hosts[other].holds(address) && hosts[other].part == hosts[host].part
        && now - max(hosts[other].lastReached, hosts[host].lastReached) > 0.7
    }
    if !others.isEmpty { wrong.append("\(host) takes \(address), which \(others) has") }
  }

  private mutating func check() {
    for address in addresses {
      let holders = hosts.indices.filter { hosts[$0].holds(address) }
      for host in holders { lastHeld[address, default: [:]][host] = now }
      for host in hosts.indices where hosts[host].isAwake && hosts[host].kernel[address] != nil {
        if hosts[host].process?.claims[address]?.isHeld != true { wrong.append("\(host) has \(address) and no claim") }
      }
      if isNeverAway, holders.isEmpty { wrong.append("\(address) is on no host") }
      let parts = Set(holders.map { hosts[$0].part })
      guard holders.count > parts.count else {
        overlapSince[address] = nil
        continue
      }
      let isAnyAsleep = holders.contains { !hosts[$0].isAwake }
      let disturbed = holders.map { hosts[$0].lastDisturbed }.max() ?? 0
      if overlapSince[address] == nil {
        count("overlap")
        overlapSince[address] = now
        note("\(address) is on \(holders)")
        if !isAnyAsleep, now - disturbed > Self.longestOverlap {
          wrong.append("\(address) is on \(holders), which all run")
        }
      }
      let since = max(overlapSince[address] ?? now, disturbed)
      let bound = isAnyAsleep ? Self.longestOverlap : Self.longestDispute + discovery
      if now - since > bound { wrong.append("\(address) is on \(holders) for \(now - since) s") }
    }
  }

  /// After 15 s in which nothing happened: each address is on one host, if one can have it.
  mutating func checkSettled() {
    for address in addresses {
      let able = hosts.indices.filter {
        hosts[$0].isAwake && hosts[$0].isLinkUp && hosts[$0].wanted.contains(address)
      }
      let holders = hosts.indices.filter { hosts[$0].kernel[address] != nil }
      if let owner = able.first(where: { hosts[$0].tenure == .fenced }), holders != [owner] {
        wrong.append("\(address) is \(owner)'s and is on \(holders)")
      }
      if holders.count != min(able.count, 1) || !Set(holders).isSubset(of: able) {
        wrong.append("\(address) could be on \(able) and is on \(holders)")
      }
    }
  }
}
