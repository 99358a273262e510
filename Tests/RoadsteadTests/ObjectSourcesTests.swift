import Addresses
import Kubernetes
import Testing

@testable import roadstead

/// When files and cluster together are enough to begin with: before that, addresses would be taken from Services.
@Suite struct ObjectSourcesTests {
  private static let pool = KubernetesObject.ipAddressPool(
    IPAddressPool(
      metadata: ObjectMeta(name: "lab"),
      addresses: [IPRange(first: IPAddress(v4: 0x0A00_0001), last: IPAddress(v4: 0x0A00_0009))].compactMap { $0 }))

  private static func service(_ addresses: [IPAddress]) -> KubernetesObject {
    .service(
      Service(
        metadata: ObjectMeta(name: "web"), spec: Service.Spec(type: .loadBalancer),
        status: Service.Status(ingress: addresses.map { Service.Ingress(ip: $0) })))
  }

  private static func cluster(_ objects: [KubernetesObject], isSynced: Bool = true) -> ClusterSnapshot {
    var store = ObjectStore()
    for object in objects { store.insert(object) }
    return ClusterSnapshot(store: store, isSynced: isSynced, changes: Set(objects.map(\.reference)))
  }

  private static let given = service([IPAddress(v4: 0x0A00_0005)])

  @Test func `nothing counts before every kind was listed`() {
    var sources = ObjectSources(awaitsCluster: true)
    #expect(sources.take(Self.cluster([Self.pool], isSynced: false)) == nil)
    #expect(!sources.isComplete && sources.missing != nil)
    #expect(sources.take(Self.cluster([Self.pool]))?.isWhole == true)
    #expect(sources.isComplete && sources.missing == nil)
  }

  @Test func `pools of files are waited for`() {
    var sources = ObjectSources(awaitsCluster: true, awaitsFiles: true)
    #expect(sources.take(Self.cluster([Self.given, Self.pool])) == nil)
    #expect(sources.missing == "no manifest has been read")
  }

  @Test func `Services that have addresses wait for a pool, others do not`() {
    var sources = ObjectSources(awaitsCluster: true)
    #expect(sources.take(Self.cluster([Self.given])) == nil)
    #expect(!sources.isComplete)
    #expect(sources.take(Self.cluster([Self.given, Self.pool]))?.isWhole == true)
    var empty = ObjectSources(awaitsCluster: true)
    #expect(empty.take(Self.cluster([Self.service([])]))?.isWhole == true)
  }

  @Test func `once begun, pools that go are a change as any other`() throws {
    var sources = ObjectSources(awaitsCluster: true)
    _ = sources.take(Self.cluster([Self.given, Self.pool]))
    var later = Self.cluster([Self.given])
    later.changes = [Self.pool.reference]
    let taken = sources.take(later)
    let changes = try #require(taken)
    #expect(!changes.isWhole && changes.store.ipAddressPools.isEmpty && changes.changes == [Self.pool.reference])
    later.changes = []
    #expect(sources.take(later) == nil)
  }
}
