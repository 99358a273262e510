import Addresses
import Announcing

/// A pool of `ranges`, which must parse.
func pool(
  _ name: String, _ ranges: String..., autoAssign: Bool = true, avoidBuggyIPs: Bool = false,
  for allocation: ServiceAllocation? = nil
) -> AddressPool {
  AddressPool(
    name: name, ranges: ranges.map { try! IPRange(parsing: $0) }, autoAssign: autoAssign,
    avoidBuggyIPs: avoidBuggyIPs, allocation: allocation)
}

func ip(_ text: String) -> IPAddress { IPAddress(text)! }

/// `name` or `namespace/name`.
func named(_ text: String) -> ServiceName {
  let parts = text.split(separator: "/").map(String.init)
  return parts.count == 2
    ? ServiceName(namespace: parts[0], name: parts[1]) : ServiceName(namespace: "default", name: text)
}

/// A request with TCP `ports`.
func service(
  _ name: String, _ families: [IPAddress.Family] = [.v4], _ policy: AddressRequest.FamilyPolicy? = nil,
  asks addresses: String..., pool: String? = nil, key: String? = nil, ports: [UInt16] = [80], udp: [UInt16] = [],
  local: String = "", labels: [String: String] = [:], namespaceLabels: [String: String] = [:], had: [String] = []
) -> AddressRequest {
  AddressRequest(
    id: named(name), labels: labels, namespaceLabels: namespaceLabels, families: families,
    familyPolicy: policy ?? (families.count == 2 ? .preferDualStack : .singleStack),
    requestedAddresses: addresses.map(ip), requestedPool: pool, sharingKey: key,
    ports: Set(ports.map { AddressRequest.Port(.tcp, $0) } + udp.map { AddressRequest.Port(.udp, $0) }),
    localPolicySelector: local, current: had.map(ip))
}

/// An allocator with its pools and requests: a cluster whose manifests are edited.
struct Cluster {
  var allocator = Allocator()
  var pools: [AddressPool] = []
  var requests: [AddressRequest] = []
  var now = 0.0
  var last = Convergence()

  init(_ pools: AddressPool...) { self.pools = pools }

  /// Settles what is wanted; `seconds` later.
  mutating func settle(after seconds: Double = 0) {
    now += seconds
    last = allocator.converge(pools: pools, requests: requests, now: now)
    precondition(allocator.brokenInvariants().isEmpty, "\(allocator.brokenInvariants())")
  }

  /// Adds or replaces Services.
  mutating func apply(_ changed: AddressRequest...) {
    for request in changed {
      requests.removeAll { $0.id == request.id }
      requests.append(request)
    }
    settle()
  }

  mutating func delete(_ names: String...) {
    requests.removeAll { names.map(named).contains($0.id) }
    settle()
  }

  mutating func replacePools(_ pools: AddressPool...) {
    self.pools = pools
    settle()
  }

  /// The addresses of a Service, separated by spaces; empty while it waits.
  func addresses(_ name: String) -> String {
    allocator.outcome(of: named(name))?.addresses.map(\.address.description).joined(separator: " ") ?? "unknown"
  }

  /// The pools of its addresses.
  func pools(_ name: String) -> String {
    allocator.outcome(of: named(name))?.addresses.map(\.pool).joined(separator: " ") ?? "unknown"
  }

  /// What it lacks, as the user reads it; empty when it has all.
  func lacks(_ name: String) -> String {
    allocator.outcome(of: named(name))?.lacks?.text(for: named(name)) ?? ""
  }

  /// How it came to what it has.
  func lastChange(_ name: String) -> String {
    allocator.outcome(of: named(name))?.lastChange?.text(for: named(name)) ?? ""
  }

  /// The events of the last settling.
  var events: [String] { last.events.map(\.description) }
}
