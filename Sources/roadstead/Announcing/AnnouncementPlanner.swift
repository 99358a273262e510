import Addresses
import Announcing
import Balancing
import Kubernetes
import Proxy

/// Decides which addresses are announced, where, and why not the others. Pure.
///
/// In this order, the first that applies: loopback; `--announce`; the node; the L2Advertisements; whether a port of the
/// address answers; whether there is anything to announce with. An address that is announced stays so while its
/// endpoints are away, for no other instance could serve it; one that no Service has any more stays until the
/// connections on it have ended.
struct AnnouncementPlanner: Sendable {
  var mode = AnnounceMode.auto
  /// `--node-name`.
  var nodeName: String?
  /// Whether loopback addresses are left out. Not so for tests, which have no others that a client reaches.
  var skipsLoopback = true
  /// Why there is nothing to announce with; nil where there is.
  var unavailable: String?

  /// What is so at the moment, beside the plan.
  struct Moment: Sendable {
    /// What listens; nil where nothing runs and nothing could.
    var served: DataPlane.Report?
    /// What was decided last.
    var before = AnnouncementPlan()
    /// Addresses that a Service lost, and how many of its connections are open on each.
    var lingering: [IPAddress: Int] = [:]
    /// Why this instance announces nothing at all; nil where it may.
    var standby: UnannouncedReason?
    /// The addresses of `--listen` that an interface of this host has.
    var own: Set<IPAddress> = []
  }

  /// Decides for the addresses of all Services, of `fixedPorts`, and of those that linger.
  ///
  /// `looked`: only for these, with all that linger among them; of others it stays decided as it was.
  func plan(
    _ plan: Plan, fixedPorts: [ServicePort] = [], store: ObjectStore, at moment: Moment = Moment(),
    only looked: Set<IPAddress>? = nil
  ) -> AnnouncementPlan {
    var decided = looked == nil ? AnnouncementPlan() : moment.before
    for address in looked ?? [] { decided.verdicts[address] = nil }
    let rules = AdvertisementRules(store, nodeName: nodeName)
    let labels = Dictionary(plan.pools.map { ($0.name, $0.labels) }, uniquingKeysWith: { first, _ in first })
    for address in looked ?? Set(plan.holders.keys) {
      guard let claim = plan.claim(on: address) else { continue }
      let pool = (name: claim.pool, labels: labels[claim.pool] ?? [:])
      let policy = policy(address) {
        rules.verdict(pool: pool, services: claim.services.map(\.service.metadata.labels))
      }
      let ports = claim.services.flatMap(\.servedPorts)
      decided.verdicts[address] = verdict(policy, address, ports, moment)
    }
    for port in fixedPorts {
      for address in port.listen.map(\.address) where looked?.contains(address) ?? true {
        let policy = policy(address) { .failure(moment.own.contains(address) ? .ownAddress : .listenAddress) }
        let verdict = verdict(policy, address, [port], moment)
        // Several ports may be on one address, and one that answers suffices.
        if case .not = verdict, decided.verdicts[address] != nil { continue }
        decided.verdicts[address] = verdict
      }
    }
    for (address, open) in moment.lingering where decided.scope(of: address) == nil && moment.standby == nil {
      guard let scope = moment.before.scope(of: address), rules.nodeProblem == nil || mode == .layer2 else { continue }
      decided.verdicts[address] = .announced(scope, stays: .openConnections(open))
    }
    return decided
  }

  /// Where the address may be announced, or why nowhere, whatever its ports do.
  private func policy(
    _ address: IPAddress, _ advertised: () -> Result<InterfaceScope, UnannouncedReason>
  ) -> Result<InterfaceScope, UnannouncedReason> {
    if address.isLoopback, skipsLoopback { return .failure(.loopback) }
    if address.isUnspecified { return .failure(.unspecified) }
    switch mode {
    case .none: return .failure(.notAsked)
    case .auto: return advertised()
    // Advertisements may still say on which interfaces.
    case .layer2: return .success((try? advertised().get()) ?? .fitting)
    }
  }

  private func verdict(
    _ policy: Result<InterfaceScope, UnannouncedReason>, _ address: IPAddress, _ ports: [ServicePort], _ moment: Moment
  ) -> AnnouncementPlan.Verdict {
    let scope: InterfaceScope
    switch policy {
    case .failure(let reason): return .not(reason)
    case .success(let interfaces): scope = interfaces
    }
    if let standby = moment.standby { return .not(standby) }
    if let problem = problem(of: ports, at: address, moment.served) {
      guard moment.before.scope(of: address) != nil else { return .not(problem) }
      return .announced(scope, stays: ports.contains { !$0.endpoints.isEmpty } ? nil : .noReadyEndpoint)
    }
    if let unavailable { return .not(.noAnnouncer(unavailable)) }
    return .announced(scope)
  }

  /// Why nobody who connects to the address would be served; nil when somebody is.
  private func problem(
    of ports: [ServicePort], at address: IPAddress, _ served: DataPlane.Report?
  ) -> UnannouncedReason? {
    let ready = ports.filter { !$0.endpoints.isEmpty }
    guard !ready.isEmpty else { return .noReadyEndpoint }
    guard let served else { return nil }
    var errors: [String] = []
    for port in ready {
      for listen in port.listenAddresses where listen.address.address == address {
        if served.clashes[listen]?.contains(port.service) == true {
          errors.append("\(listen) is another Service's")
        } else if served.listening.contains(listen) {
          return nil
        } else if let failure = served.failures[listen] {
          errors.append(failure.description)
        }
      }
    }
    return .notListening(errors.first ?? "its listeners are not up")
  }
}

extension Plan {
  /// Who has an address, and from where.
  struct Claim: Sendable {
    let pool: String
    /// By name; several where they share it.
    let services: [PlannedService]
  }

  /// Which Services have `address`; nil: none.
  func claim(on address: IPAddress) -> Claim? {
    let services = (holders[address] ?? []).sorted().compactMap(service)
    let assignment = services.first?.outcome.addresses.first { $0.address == address }
    return assignment.map { Claim(pool: $0.pool, services: services) }
  }
}
