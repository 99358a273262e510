import Admin

extension AdminState {
  /// The design's example, and what else a table has to show.
  static var example: AdminState {
    let served = Service(
      namespace: "default", name: "hostname-svc-lb", origin: "webserver.yaml:1",
      addresses: [
        Address(
          "10.101.0.50", pool: "lab", reason: "lowest free address", interface: nil, announcedBy: nil,
          notAnnounced: "--announce none")
      ],
      settings: ["idle-timeout": "5m", "connect-timeout": "2s"],
      target: Target(kind: "pod", reason: "endpoints are known"),
      ports: [
        Port(
          name: "webserver", port: 8080, targetPort: "80", listening: ["10.101.0.50:8080"],
          counters: Counters(
            accepted: 30, active: 1, bytesIn: 2400, bytesOut: 5_242_880, connectFailures: 1, retries: 1,
            closes: ["finished": 28, "client-reset": 1]),
          endpoints: [
            Endpoint(name: "web-1", address: "10.244.1.7:80", node: "node-1", active: 1, total: 10, bytesIn: 800),
            Endpoint(
              name: "web-2", address: "10.244.2.17:80", weight: 2, total: 20, connectFailures: 1, bytesOut: 5_242_880),
            Endpoint(
              name: "web-3", address: "10.244.2.18:80", takesTraffic: false,
              reason: "ejected for 10 s after 3 connect failures"),
          ],
          excluded: [Excluded(name: "web-4", address: "10.244.3.1", reason: "not ready")])
      ])
    let waiting = Service(
      namespace: "shop", name: "cart", waiting: "pool lab has no free address",
      ports: [
        Port(port: 80, targetPort: "http"),
        Port(transport: "UDP", port: 53, excluded: [Excluded(name: "a", reason: "x")]),
      ])
    let blocked = Service(
      namespace: "shop", name: "front",
      addresses: [Address("10.101.0.51", pool: "lab"), Address("fd00::51", pool: "six")],
      ports: [
        Port(
          port: 443, errors: ["10.101.0.51:443 is in use by another process"],
          endpoints: [Endpoint(name: "front-1", address: "10.244.1.9:8443")])
      ])
    return AdminState(
      version: "0.1.0", startedAt: "2026-01-31T12:00:00Z", uptimeSeconds: 192, readiness: .notReady("draining"),
      limits: Limits(shards: 2, openFiles: 1_048_576),
      sources: [
        Source(name: "webserver.yaml"),
        Source(
          name: "cart.yaml",
          problems: [
            Problem(
              .error, file: "cart.yaml", line: 7, object: "Service/shop/cart", field: "spec.ports[0].port",
              message: "must be a number, not 'eighty'"),
            Problem(.warning, file: "cart.yaml", object: "Ingress/shop", message: "is not read"),
          ]),
      ],
      pools: [
        Pool(name: "lab", ranges: ["10.101.0.50-10.101.0.60"], assigned: 2, total: "11"),
        Pool(name: "six", ranges: ["fd00::/64"], assigned: 1, total: "18446744073709551616"),
      ],
      services: [served, waiting, blocked], counters: served.ports[0].counters)
  }
}
