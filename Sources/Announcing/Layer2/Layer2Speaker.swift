import Addresses
import EventLoop
import Glibc

/// Joins the claims of all addresses with frames, links and the kernel's address table.
///
/// Where an address goes is decided by ``InterfaceChoice``, and what happens to it there by ``AddressClaim``; both are
/// pure. This tells them what was heard and does what they say. Loop only, including its end.
final class Layer2Speaker: EventHandler {
  /// For how long changes are gathered that are about none of our addresses, in seconds: looking at a thousand takes a
  /// while, and containers' interfaces come by the dozen.
  private static let patience = 0.05

  private let loop: EventLoop
  private let times: ClaimTimes
  private let changed: (AnnouncementStatus) -> Void
  private let table: AddressTable
  private let groups = SolicitedNodeGroups()
  private let arpSettings = ARPSettings()
  private var arp: PacketSocket?
  private var neighbourDiscovery: PacketSocket?
  private var monitor: LinkMonitor?
  private var timer: TimerWatcher?
  private var random = SystemRandomNumberGenerator()

  private var links = LinkTable()
  // What is being read anew, until it is complete; ``links`` is in force meanwhile.
  private var newLinks: LinkTable? = LinkTable()
  // Whether all links have been read once.
  private var knowsLinks = false
  // Whether the caller has said what it wants: only then can it be said of a leftover that it does not.
  private var knowsWishes = false
  // When wishes, links and addresses are to be looked at anew; nil while nothing has changed.
  private var convergeAt: Double?
  private var addresses: [IPAddress: AnnouncedAddress] = [:]
  private var leftovers = Leftovers()
  private var dropped: [FrameDrop: UInt64] = [:]
  private var tenure = Tenure.alone

  /// `changed` is called on the loop. Throws where the process may not do what announcing takes.
  init(
    loop: EventLoop, times: ClaimTimes, changed: @escaping (AnnouncementStatus) -> Void
  ) throws(AnnouncementObstacle) {
    self.loop = loop
    self.times = times
    self.changed = changed
    table = try AddressTable()
    // There is no such interface: the kernel asks for the capability first.
    do {
      try table.remove(IPAddress(v4: 0), from: 0)
    } catch {
      if case .missingCapability = error { throw error }
    }
    super.init()
    // The three live as long as this does.
    arp = try PacketSocket(loop: loop, .arp) { [unowned self] in receivedARP($0, on: $1) }
    neighbourDiscovery = try PacketSocket(loop: loop, .neighbourDiscovery) { [unowned self] in
      receivedNeighborMessage($0, on: $1)
    }
    monitor = try LinkMonitor(loop: loop) { [unowned self] in received($0) }
    timer = TimerWatcher(loop: loop, handler: self)
  }

  // MARK: - Wishes and answers

  /// All that is to be announced from now on.
  func announce(_ announcements: [Announcement]) {
    knowsWishes = true
    for address in addresses.keys { addresses[address]?.announcement = nil }
    for announcement in announcements {
      if addresses[announcement.address] == nil {
        addresses[announcement.address] = AnnouncedAddress(announcement)
      } else {
        addresses[announcement.address]?.announcement = announcement
      }
    }
    converge()
  }

  /// How surely the addresses are this host's, from now on.
  func setTenure(_ tenure: Tenure) {
    guard self.tenure != tenure else { return }
    self.tenure = tenure
    for (address, entry) in addresses {
      for index in entry.claims.keys { handle(.tenure(tenure), AddressPlace(address: address, index: index)) }
    }
    schedule()
  }

  /// Where everything stands.
  var statuses: [IPAddress: [AnnouncementStatus]] {
    var statuses: [IPAddress: [AnnouncementStatus]] = [:]
    for (address, entry) in addresses { statuses[address] = entry.statuses(of: address) }
    return statuses
  }

  /// Frames that were dropped, by reason; `noRoom` are those the kernel dropped.
  var drops: [String: UInt64] {
    var drops = Dictionary(uniqueKeysWithValues: dropped.map { ($0.key.rawValue, $0.value) })
    let lost = (arp?.counts().dropped ?? 0) + (neighbourDiscovery?.counts().dropped ?? 0)
    if lost > 0 { drops["noRoom"] = lost }
    return drops
  }

  // MARK: - What happens

  private func received(_ report: LinkMonitor.Report) {
    switch report {
    case .restarted: newLinks = LinkTable()
    case .event(let event):
      if newLinks != nil {
        newLinks?.apply(event)
      } else {
        received(event)
      }
    case .complete:
      guard let complete = newLinks else { return }
      newLinks = nil
      if !knowsLinks { leftovers = Leftovers(complete, now: now) }
      knowsLinks = true
      links = complete
      dropWhatIsGone()
      converge()
    }
  }

  private func received(_ event: LinkEvent) {
    let before = event.linkIndex.flatMap { links[$0] }
    links.apply(event)
    switch event {
    case .link(let link):
      // The kernel tells of a link also where it is as it was for us.
      if links[link.index] != before { linkChanged(link.index) }
    case .linkGone(let index): linkChanged(index)
    case .address(let held, let index):
      let place = AddressPlace(address: held.address, index: index)
      // A renewal of our own changes nothing.
      if addresses[place.address]?.claims[index]?.isHeld == true, held.isOfRoadstead { return }
      leftovers.sawRenewal(of: place, now: now)
      addressChanged(place.address)
    case .addressGone(let address, let prefixLength, let index):
      _ = leftovers.take(AddressPlace(address: address, index: index))
      if prefixLength == address.family.bitCount { handle(.dropped, AddressPlace(address: address, index: index)) }
      addressChanged(address)
    }
  }

  /// At once where addresses are there: what went down and came up again must have been down. Links of others come and
  /// go in numbers where there are containers.
  private func linkChanged(_ index: CInt) {
    if addresses.values.contains(where: { $0.claims[index] != nil }) {
      converge()
    } else {
      converge(within: Self.patience)
    }
  }

  private func addressChanged(_ address: IPAddress) { converge(within: addresses[address] == nil ? Self.patience : 0) }

  /// Held addresses whose removal went by unheard.
  private func dropWhatIsGone() {
    for (address, entry) in addresses {
      for (index, claim) in entry.claims where claim.isHeld {
        if links.holdings(of: address, on: index).isEmpty {
          handle(.dropped, AddressPlace(address: address, index: index))
        }
      }
    }
  }

  private func receivedARP(_ frame: Span<UInt8>, on index: CInt) {
    do throws(FrameDrop) {
      saw(Sighting(try ARPPacket(frame), own: links.ownMACs), on: index)
    } catch {
      dropped[error, default: 0] += 1
    }
  }

  private func receivedNeighborMessage(_ frame: Span<UInt8>, on index: CInt) {
    do throws(FrameDrop) {
      saw(Sighting(try NeighborMessage(frame), own: links.ownMACs), on: index)
    } catch {
      dropped[error, default: 0] += 1
    }
  }

  private func saw(_ sighting: Sighting?, on index: CInt) {
    guard let sighting, let before = addresses[sighting.address]?.claims[index] else { return }
    handle(.sighted(sighting.kind, by: sighting.mac), AddressPlace(address: sighting.address, index: index))
    // Anyone may send frames in numbers, and most change nothing.
    if addresses[sighting.address]?.claims[index]?.deadline != before.deadline { schedule() }
  }

  override func timerFired() {
    let now = now
    for (address, entry) in addresses {
      for (index, claim) in entry.claims where claim.deadline.map({ $0 <= now }) == true {
        handle(.due, AddressPlace(address: address, index: index))
      }
    }
    if knowsWishes {
      for place in leftovers.takeAbandoned(now: now) { try? table.remove(place.address, from: place.index) }
    }
    if let convergeAt, convergeAt <= now { converge() } else { schedule() }
  }

  // MARK: - Converging

  /// Changes come in numbers; what they mean is found out once for all of them, after this turn at the earliest.
  private func converge(within seconds: Double) {
    let time = now + seconds
    guard time < convergeAt ?? .infinity else { return }
    convergeAt = time
    schedule()
  }

  /// Makes the claims those that wishes and links ask for.
  private func converge() {
    convergeAt = nil
    guard knowsLinks else { return }
    var warnings: [String: [String]] = [:]
    for address in addresses.keys.sorted() { converge(address, &warnings) }
    schedule()
  }

  private func converge(_ address: IPAddress, _ warnings: inout [String: [String]]) {
    guard let entry = addresses[address] else { return }
    let choice = entry.announcement.map {
      InterfaceChoice.choose($0, among: links, current: Set(entry.claims.keys))
    }
    addresses[address]?.refusals = choice?.refusals ?? []
    for index in entry.claims.keys.sorted() where choice?.chosen.contains(index) != true {
      end(AddressPlace(address: address, index: index), because: choice)
    }
    for index in choice?.chosen ?? [] {
      guard let link = links[index], let mac = link.mac else { continue }
      addresses[address]?.names[index] = link.name
      addresses[address]?.warnings[index] = address.family == .v4 ? check(link, choice, &warnings) : []
      let place = AddressPlace(address: address, index: index)
      if let claim = entry.claims[index] {
        if claim.mac != mac { handle(.linkLayerAddressChanged(mac), place) }
      } else {
        addresses[address]?.claims[index] = AddressClaim(address, mac: mac, times: times, tenure: tenure)
        groups.join(address, on: index)
        handle(.start(adopting: leftovers.take(place)), place)
      }
    }
    tell(address)
    if choice == nil { addresses[address] = nil }
  }

  /// Ends a claim that is not chosen any more.
  private func end(_ place: AddressPlace, because choice: InterfaceChoice?) {
    let name = addresses[place.address]?.names[place.index]
    let obstacle = choice?.refusals.first { $0.interface == name }?.obstacle
    // What is no longer as we put it is somebody else's.
    let isTaken = links.holdings(of: place.address, on: place.index).contains { !$0.isOfRoadstead }
    if !isTaken {
      let isGone = links[place.index] == nil
      handle(isGone ? .linkLost(obstacle ?? .noFittingInterface) : obstacle.map { .linkLost($0) } ?? .withdraw, place)
    }
    groups.leave(place.address, on: place.index)
    addresses[place.address]?.claims[place.index] = nil
    addresses[place.address]?.names[place.index] = nil
    addresses[place.address]?.warnings[place.index] = nil
  }

  private func check(
    _ link: Link, _ choice: InterfaceChoice?, _ known: inout [String: [String]]
  ) -> [String] {
    // Each interface of the LAN has to be quiet about the others' addresses.
    let rivals = (choice?.needsARPIgnore ?? []).sorted().compactMap { links[$0]?.name }
    return ([link.name] + rivals.filter { $0 != link.name }).flatMap { name in
      if let warnings = known[name] { return warnings }
      let required = rivals.contains(name) ? arpSettings.require(on: name) : nil
      let warnings = [required, arpSettings.check(name)].compactMap { $0 }
      known[name] = warnings
      return warnings
    }
  }

  // MARK: - Doing

  /// Hands an event to a claim and does what it says, until nothing is left to do.
  private func handle(_ event: AddressClaim.Event, _ place: AddressPlace) {
    var next: AddressClaim.Event? = event
    var hasChanged = false
    while let event = next {
      next = nil
      var actions: [AddressClaim.Action] = []
      addresses[place.address]?.claims[place.index]?.handle(
        event, now: now, unixTime: time(nil), using: &random, actions: &actions)
      guard let claim = addresses[place.address]?.claims[place.index] else { return }
      for action in actions {
        do throws(AnnouncementObstacle) {
          switch action {
          case .sendProbe: try send(probe(claim), place)
          case .put: try table.put(place.address, on: place.index, lifetime: times.lifetime)
          // What cannot be removed lapses by itself.
          case .remove: try? table.remove(place.address, from: place.index)
          case .advertise: for frame in advertisement(claim) { try? send(frame, place) }
          case .changed: hasChanged = true
          }
        } catch {
          next = action == .put ? .putFailed(error) : .probeFailed(error)
          break
        }
      }
    }
    if hasChanged { tell(place.address) }
  }

  private func send(_ frame: [UInt8], _ place: AddressPlace) throws(AnnouncementObstacle) {
    try (place.address.family == .v4 ? arp : neighbourDiscovery)?.send(frame, on: place.index)
  }

  private func probe(_ claim: AddressClaim) -> [UInt8] {
    claim.address.family == .v4
      ? ARPPacket.probe(for: claim.address, from: claim.mac).frame()
      : NeighborMessage.duplicateProbe(for: claim.address, from: claim.mac).frame()
  }

  private func advertisement(_ claim: AddressClaim) -> [[UInt8]] {
    guard claim.address.family == .v4 else {
      return [NeighborMessage.unsolicitedAdvertisement(for: claim.address, from: claim.mac).frame()]
    }
    // Some neighbours heed only the one, some only the other.
    return [
      ARPPacket.gratuitousRequest(for: claim.address, from: claim.mac).frame(),
      ARPPacket.gratuitousReply(for: claim.address, from: claim.mac).frame(),
    ]
  }

  private func tell(_ address: IPAddress) {
    for status in addresses[address]?.news(of: address) ?? [] { changed(status) }
  }

  /// Sets the timer to what is due first.
  private func schedule() {
    var deadlines = addresses.values.compactMap(\.deadline)
    if knowsWishes, let deadline = leftovers.deadline { deadlines.append(deadline) }
    if let convergeAt { deadlines.append(convergeAt) }
    guard let first = deadlines.min() else { timer?.stop(); return }
    timer?.schedule(after: max(first - now, 0))
  }

  /// Seconds of the clock that also runs the kernel's lifetimes; not the loop's, which is that of the turn's start.
  private var now: Double {
    var time = timespec()
    // Only as long as the call.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
