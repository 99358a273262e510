import Addresses
import Announcing
import Balancing
import Kubernetes
import Proxy

/// What the cluster is to be told of all Services: their addresses, what is announced, and what happened. Pure.
struct ServiceReports {
  let plan: Plan
  let record: AnnouncementRecord
  let served: DataPlane.Report
  /// The node that announces, for people; nil where it has no name.
  let nodeName: String?

  /// One for each Service, in their order; `events` by Service.
  func reports(events: [NamespacedName: [ServiceReport.Event]]) -> [ServiceReport] {
    plan.services.map { service in
      let name = service.service.metadata.namespacedName
      return ServiceReport(
        name: name, addresses: service.outcome.addresses.map(\.address), ports: service.ports.map(port),
        conditions: [allocated(service), announced(service)],
        pool: service.outcome.addresses.first?.pool, events: events[name] ?? [])
    }
  }

  private func port(_ port: PlannedPort) -> ServiceReport.Port {
    let addresses = port.served?.listenAddresses ?? []
    let error: String? =
      if port.problem != nil {
        "ProtocolNotSupported"
      } else if addresses.contains(where: { served.clashes[$0] != nil }) {
        "PortTaken"
      } else if addresses.contains(where: { served.failures[$0] != nil }) {
        "NotListening"
      } else {
        nil
      }
    return ServiceReport.Port(
      port: port.resolved.port.port, transport: port.resolved.port.protocol.rawValue, error: error)
  }

  private func allocated(_ service: PlannedService) -> ServiceReport.Condition {
    let addresses = service.outcome.addresses
    return ServiceReport.Condition(
      type: "roadstead.dev/Allocated", isTrue: !addresses.isEmpty,
      reason: addresses.isEmpty ? "AllocationFailed" : service.waiting == nil ? "Allocated" : "PartlyAllocated",
      message: service.waiting ?? addresses.map(\.description).joined(separator: ", "))
  }

  private func announced(_ service: PlannedService) -> ServiceReport.Condition {
    let type = "roadstead.dev/Announced"
    let addresses = service.outcome.addresses.map(\.address)
    guard !addresses.isEmpty else {
      return ServiceReport.Condition(type: type, isTrue: false, reason: "NoAddress", message: "it has no address")
    }
    var places: [String] = []
    for address in addresses {
      switch record.plan.verdicts[address] {
      case .announced:
        let statuses = (record.statuses[address] ?? [:]).values.sorted { $0.interface < $1.interface }
        let interfaces = statuses.filter(\.state.isAnnounced).map(\.interface)
        guard interfaces.isEmpty else {
          places.append("\(address) on \(interfaces.joined(separator: ", "))")
          continue
        }
        let obstacle = statuses.lazy.compactMap { status in
          if case .waiting(let obstacle) = status.state { obstacle } else { nil }
        }.first
        return ServiceReport.Condition(
          type: type, isTrue: false, reason: obstacle?.word ?? "Probing",
          message: "\(address): \(obstacle?.description ?? "it is probed")")
      case .not(let reason):
        return ServiceReport.Condition(
          type: type, isTrue: false, reason: reason.word, message: "\(address): \(reason)")
      case nil:
        return ServiceReport.Condition(type: type, isTrue: false, reason: "Pending", message: "\(address): not yet")
      }
    }
    let node = nodeName.map { " by node \($0)" } ?? ""
    return ServiceReport.Condition(
      type: type, isTrue: true, reason: "Announced", message: "layer2: \(places.joined(separator: "; "))\(node)")
  }
}

extension ServiceReport.Event {
  /// What the allocator did; nil where it is no event.
  init?(_ event: AllocationEvent) {
    guard let reason = event.reason.eventReason else { return nil }
    self.init(isWarning: reason.isWarning, reason: reason.rawValue, message: event.reason.text(for: event.service))
  }

  /// What the announcer did, in MetalLB's words where it has some; nil where it is no event.
  init?(_ status: AnnouncementStatus, nodeName: String?) {
    switch status.state {
    case .announced:
      let place = nodeName.map { "node \"\($0)\"" } ?? "interface \(status.interface)"
      self.init(reason: "nodeAssigned", message: "announcing from \(place) with protocol \"layer2\"")
    case .waiting(let obstacle):
      self.init(isWarning: true, reason: "announceFailed", message: "\(status.address) is not announced: \(obstacle)")
    case .probing, .withdrawn: return nil
    }
  }

  /// That an address of the Service is not announced.
  init(_ reason: UnannouncedReason, of address: IPAddress) {
    self.init(
      isWarning: reason.isWarning, reason: "notAnnounced", message: "\(address) is not announced: \(reason)")
  }
}

extension UnannouncedReason {
  /// One CamelCase word.
  fileprivate var word: String {
    switch self {
    case .loopback: "Loopback"
    case .unspecified: "Unspecified"
    case .notAsked, .listenAddress: "NotAsked"
    case .ownAddress: "OwnAddress"
    case .draining: "Draining"
    case .nodeExcluded: "NodeExcluded"
    case .networkUnavailable: "NetworkUnavailable"
    case .poolNotSelected: "NoAdvertisement"
    case .leftOut: "NoMatchingAdvertisement"
    case .noReadyEndpoint: "NoReadyEndpoint"
    case .notListening: "NotListening"
    case .standby: "Standby"
    case .noAnnouncer: "NoAnnouncer"
    }
  }

  /// Whether it is something to be mended.
  fileprivate var isWarning: Bool {
    switch self {
    case .loopback, .unspecified, .notAsked, .listenAddress, .ownAddress, .draining, .noReadyEndpoint, .standby: false
    case .nodeExcluded, .networkUnavailable, .poolNotSelected, .leftOut, .notListening, .noAnnouncer: true
    }
  }
}

extension AnnouncementObstacle {
  /// One CamelCase word.
  fileprivate var word: String {
    switch self {
    case .addressInUse: "AddressInUse"
    case .noSuchInterface: "NoSuchInterface"
    case .unusableInterface, .noFittingInterface: "NoUsableInterface"
    case .onHostAlready: "OnHostAlready"
    case .missingCapability: "MissingCapability"
    case .system: "SystemRefused"
    }
  }
}
