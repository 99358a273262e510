import Addresses

/// What ``ServiceWriter`` knows of one Service: how it is, what is wanted, and what became of earlier writes.
///
/// Pure; times are seconds of the ``WriterClock``.
struct WrittenService: Sendable {
  /// The newest version that is known: from the store, or from an answer that the watch has yet to tell.
  private(set) var service: Service
  /// What is wanted, without its events; nil: that nothing of ours is left.
  var wish: ServiceReport?
  var memory = ServicePatch.Memory()
  /// What there is nothing to do about, until the wish or the Service is another.
  private var settled: (wish: ServiceReport?, version: String?)?
  /// What the last accepted write left in `status.loadBalancer.ingress`; nil before there was one.
  private var written: [Service.Ingress]?
  /// When somebody else's change was last overwritten.
  private var rewrites: [Double] = []
  /// 409s in a row.
  var conflicts = 0
  /// Other failures in a row.
  var failures = 0
  /// Whether somebody was told that its address is another's.
  var hasToldOther = false

  /// Overwritten so often within ``contestWindow`` seconds, it is let be.
  static let rewriteLimit = 2
  static let contestWindow = 300.0

  init(_ service: Service, wish: ServiceReport?) {
    self.service = service
    self.wish = wish
  }

  var uid: String? { service.metadata.uid }

  /// Whether there is surely nothing to do.
  var isSettled: Bool {
    guard let settled else { return false }
    return settled.version == service.metadata.resourceVersion && settled.wish == wish
  }

  /// The same for what a store and a report say, whose events do not matter; without a copy of anything.
  func isSettled(_ report: ServiceReport, on service: Service) -> Bool {
    guard let settled, let known = settled.wish else { return false }
    return settled.version == service.metadata.resourceVersion && known.addresses == report.addresses
      && known.pool == report.pool && known.ports == report.ports && known.conditions == report.conditions
      && wish != nil
  }

  mutating func settle() {
    settled = (wish, service.metadata.resourceVersion)
    failures = 0
    conflicts = 0
  }

  /// Takes what the store or an answer says, unless a newer version is known.
  mutating func see(_ service: Service) {
    guard let known = self.service.metadata.resourceVersion.flatMap({ UInt64($0) }),
      let seen = service.metadata.resourceVersion.flatMap({ UInt64($0) })
    else {
      // Versions are numbers in practice (KEP-5504). Where they are not, a stale one costs a 409 and a GET.
      self.service = service
      return
    }
    if seen >= known { self.service = service }
  }

  /// Whether its addresses are another's, which nobody was told yet.
  var isToBeTold: Bool {
    guard let wish, !hasToldOther, !memory.hasWritten else { return false }
    return service.isHeldByAnother(than: wish.addresses)
  }

  func patch(now: String) -> ServicePatch {
    if let wish {
      ServicePatch(wish, on: service, memory: memory, now: now)
    } else {
      ServicePatch(cleaning: service, memory: memory)
    }
  }

  /// Notes that the server took at `time` what `sent` made of its wish; `answer` is the Service since then, where it
  /// could be read. What is known or wanted now may be newer than `sent`.
  mutating func accept(_ patch: ServicePatch, of sent: WrittenService, answer: Service?, at time: Double) {
    if sent.isChangedByAnother, patch.ingress != nil {
      rewrites = rewrites.filter { time - $0 < Self.contestWindow } + [time]
    }
    if let answer { see(answer) }
    remember(sent.wish, ingress: patch.ingress.map { answer?.status.ingress ?? $0 } ?? written)
  }

  /// Notes that the Service says what is wanted already, as after a restart: what it says is ours from now on.
  mutating func adopt() {
    if let wish, !wish.addresses.isEmpty, !service.isHeldByAnother(than: wish.addresses) {
      remember(wish, ingress: service.status.ingress)
    }
    settle()
  }

  private mutating func remember(_ wish: ServiceReport?, ingress: [Service.Ingress]?) {
    memory.hasWritten = wish != nil
    memory.addresses = Set(wish?.addresses ?? [])
    written = wish == nil ? nil : ingress
  }

  /// Whether the addresses are no longer those that were written here.
  var isChangedByAnother: Bool {
    guard let written, wish != nil else { return false }
    return written.map(Claim.init) != service.status.ingress.map(Claim.init)
  }

  /// Whether to write now would be to fight.
  func isContested(at time: Double) -> Bool {
    isChangedByAnother && rewrites.count { time - $0 < Self.contestWindow } >= Self.rewriteLimit
  }

  /// After the time in which it was let be, it is tried again.
  mutating func endContest() { rewrites = [] }

  // What load balancers contend for: the address, and whose traffic it is.
  private struct Claim: Hashable {
    let ip: IPAddress?
    let mode: String?
    init(_ ingress: Service.Ingress) {
      ip = ingress.ip
      mode = ingress.ipMode
    }
  }
}
