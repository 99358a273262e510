import Addresses
import Testing

@testable import Kubernetes

struct ServiceStatusTests {
  @Test func `conditions and ports are read word for word`() throws {
    let status = try service(
      store(
        serviceText(
          "web",
          extra: """
            status:
              conditions:
              - {type: a/B, status: Perhaps, reason: R, message: m, lastTransitionTime: "2026-01-01", observedGeneration: 4}
              loadBalancer:
                ingress: [{ip: 10.0.0.1, ipMode: Proxy, ports: [{port: 80, protocol: TCP, error: Busy}]}]
            """))
    ).status
    #expect(
      status.conditions == [
        .init(
          type: "a/B", status: "Perhaps", reason: "R", message: "m", lastTransitionTime: "2026-01-01",
          observedGeneration: 4)
      ])
    #expect(
      status.ingress == [
        .init(
          ip: IPAddress("10.0.0.1"), ipMode: "Proxy", ports: [.init(port: 80, protocol: "TCP", error: "Busy")])
      ])
  }

  @Test func `odd ones make no Service unusable`() throws {
    let text = serviceText(
      "web",
      extra: """
        status:
          conditions: [7, {type: x}, {type: a/B, status: "True"}]
          loadBalancer:
            ingress: [{ip: 10.0.0.1, ports: {port: 80}}, {hostname: h, ports: [{port: x}]}]
        """)
    #expect(problems(text) == [])
    let status = try service(store(text)).status
    #expect(status.conditions.map(\.type) == ["a/B"])
    #expect(status.ingress.map(\.ports) == [[], []])
  }
}
