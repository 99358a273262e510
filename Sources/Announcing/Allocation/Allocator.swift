import Addresses

/// Which Service has which address of which pool.
///
/// Pure and deterministic: the same calls give the same results, time is an argument. A call takes the wanted state
/// (all of it, or what changed of it), settles it, and says what changed and why. It works in four steps:
///
/// 1. Pools and requests are taken over; Services that are gone give up their addresses.
/// 2. Of the Services that something changed for, each keeps what its pools and its request still allow. Services
///    that are met for the first time get what they had before. Nobody else is looked at, so nobody else moves.
/// 3. The others are served: first those that have one of two required families, then those that ask for an address,
///    then those that ask for a pool, then the rest; among equals who came first, then by name.
/// 4. If an address became free or shareable meanwhile, those that wait are served again.
///
/// A Service gets the address it asks for, or else one of: the pool it asks for; the pools that its namespace or
/// labels are pinned to, by priority; the other pools that assign unasked, by name. Within a pool: the address it had
/// in the last 60 s, one that it may share, the lowest free one, the one that rested longest.
public struct Allocator: Sendable {
  /// For how many seconds a released address is given to other Services only where no other is free.
  public static let restSeconds = 60.0

  /// What is known of one Service.
  struct Record: Equatable {
    /// Without its `current`.
    var request: AddressRequest
    /// Counts Services as they come; who came first is served first.
    let arrival: UInt64
    var assigned: [AddressAssignment] = []
    var lacks: AllocationReason?
    var lastChange: AllocationReason?
  }

  /// An address that nobody holds and that is not yet free.
  struct Rest: Equatable {
    let order: UInt64
    let until: Double
    /// Who had it.
    let service: ServiceName
  }

  var pools: [String: PoolState] = [:]
  var index = PoolIndex()
  var refusedPools: [String: PoolProblem] = [:]
  /// The pools that assign unasked: pinned ones by priority, then the others; equals by name.
  var poolOrder: [String] = []
  var records: [ServiceName: Record] = [:]
  /// Services that wait or lack a family.
  var unsatisfied: Set<ServiceName> = []
  var uses: [IPAddress: AddressUse] = [:]
  /// Addresses that can be shared, lowest first.
  var shareable: [SharingGroup: [IPAddress]] = [:]
  var resting: [IPAddress: Rest] = [:]
  /// Resting addresses by who had them, the latest last.
  var restedBy: [ServiceName: [IPAddress]] = [:]
  /// Resting addresses that no pool holds, for the Service and the pool to come back.
  var orphans = PerFamily { _ in RestQueue() }
  var clock = -Double.infinity
  private var releases: UInt64 = 0
  private var arrivals: UInt64 = 0

  public init() {}

  /// Settles the whole wanted state: Services that are not in `requests` are gone.
  ///
  /// Of pools that cannot be in force together ``PoolAdmission`` decides; the result's `poolProblems` say which are
  /// refused. Of two requests with one name the first counts. `now` is in seconds of any steady clock; earlier than
  /// before counts as no time passed.
  public mutating func converge(pools: [AddressPool], requests: [AddressRequest], now: Double) -> Convergence {
    let wanted = Set(requests.lazy.map(\.id))
    return settle(pools: pools, changed: requests, removed: records.keys.filter { !wanted.contains($0) }, now: now)
  }

  /// Settles other pools for the same Services.
  public mutating func converge(pools: [AddressPool], now: Double) -> Convergence {
    settle(pools: pools, changed: [], removed: [], now: now)
  }

  /// Settles some new or changed requests, and other pools where some are given; all other Services stay.
  ///
  /// A name in both lists is a Service that was deleted and made again.
  public mutating func converge(
    pools: [AddressPool]? = nil, changed: [AddressRequest], removed: [ServiceName] = [], now: Double
  ) -> Convergence {
    settle(pools: pools, changed: changed, removed: removed, now: now)
  }

  /// What the Service has; nil when it is unknown.
  public func outcome(of service: ServiceName) -> AllocationOutcome? {
    records[service].map {
      AllocationOutcome(addresses: $0.assigned, lacks: $0.lacks, lastChange: $0.lastChange)
    }
  }

  /// What each Service that has an address has: to be kept in the ``AllocationStore``.
  public var assignments: [ServiceName: [AddressAssignment]] {
    records.compactMapValues { $0.assigned.isEmpty ? nil : $0.assigned }
  }

  /// The pools in force, by name; for a refused one its last good version.
  public var poolsInForce: [AddressPool] { pools.values.map(\.pool).sorted { $0.name < $1.name } }

  /// How full each family of each pool is, by name.
  public var usage: [PoolUsage] {
    pools.values.sorted { $0.pool.name < $1.pool.name }.flatMap { state in
      IPAddress.Family.allCases.filter { !state.ranges[$0].isEmpty }.map(state.usage)
    }
  }

  private mutating func settle(
    pools newPools: [AddressPool]?, changed: [AddressRequest], removed: [ServiceName], now: Double
  ) -> Convergence {
    if now > clock { clock = now }
    endRests()
    var settlement = Settlement()
    var rechecks: [ServiceName: Recheck] = [:]
    for name in Set(removed).sorted() { remove(name, &settlement) }
    if let newPools {
      for name in apply(newPools, &settlement) { rechecks[name] = suspend(name) }
    }
    var changedNames: Set<ServiceName> = []
    var arriving: [ServiceName: AddressRequest] = [:]
    for var request in changed {
      guard let known = records[request.id]?.request else {
        if arriving[request.id] == nil { arriving[request.id] = request }
        continue
      }
      if !request.current.isEmpty { request.current = [] }
      if known == request || !changedNames.insert(request.id).inserted { continue }
      if rechecks[request.id] == nil { rechecks[request.id] = suspend(request.id) }
      if known.isSharedDifferently(request) { settlement.mayServeOthers = true }
      records[request.id]?.request = request
    }
    let known = rechecks.values.sorted { $0.arrival < $1.arrival }
    for recheck in known { keep(recheck, &settlement) }
    let newcomers = arriving.keys.sorted()
    for name in newcomers {
      guard var request = arriving[name] else { continue }
      let current = request.current
      request.current = []
      records[name] = Record(request: request, arrival: arrivals)
      arrivals += 1
      settlement.touched.insert(name)
      restore(current, to: request, &settlement)
    }
    restUnused(settlement.left)
    let names = known.map(\.name) + newcomers
    completeRequired(names, &settlement)
    serve(names, &settlement)
    for name in settlement.touched {
      settlement.changes.outcomes[name] = outcome(of: name)
    }
    return settlement.changes
  }

  /// The running number of the next release.
  mutating func nextRelease() -> UInt64 {
    releases += 1
    return releases
  }
}

/// What one call has found out so far.
struct Settlement {
  var changes = Convergence()
  /// Services whose outcome may be new.
  var touched: Set<ServiceName> = []
  /// What Services lost in this call, and how they had come to it.
  var givenUp: [ServiceName: [(assignment: AddressAssignment, cause: ReleaseCause, before: AllocationReason?)]] = [:]
  /// Who lost an address to another sharer, in order.
  var losers: [IPAddress: [ServiceName]] = [:]
  /// All that was lost, in order.
  var left: [(address: IPAddress, service: ServiceName)] = []
  /// Whether an address became free or shareable, so that others that wait may be served.
  var mayServeOthers = false
}

/// A Service whose hold on its addresses is suspended until it is known whether it may keep them.
struct Recheck {
  let name: ServiceName
  let arrival: UInt64
  let held: [AddressAssignment]
}

extension AddressRequest {
  /// Whether others may share with `other` what they could not share with this, or the other way round.
  fileprivate func isSharedDifferently(_ other: AddressRequest) -> Bool {
    effectiveSharingKey != other.effectiveSharingKey || localPolicySelector != other.localPolicySelector
      || ports != other.ports
  }
}
