// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]

let package = Package(
  name: "roadstead",
  products: [
    .executable(name: "roadstead", targets: ["roadstead"]),
    .executable(name: "roadstead-load", targets: ["roadstead-load"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // libev for Swift, and the Linux calls that Swift cannot see.
    .target(name: "CLibEv", linkerSettings: [.linkedLibrary("ev")]),
    // libmicrohttpd for Swift, without varargs.
    .target(name: "CMicroHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),
    // libcurl for Swift, without varargs.
    .target(name: "CLibCurl", linkerSettings: [.linkedLibrary("curl")]),
    // Where libnl's headers are, from pkg-config.
    .systemLibrary(name: "CNlHeaders", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-route-3-dev"])]),
    // libnl-route for Swift: addresses on interfaces, what the kernel tells of both; packet sockets.
    .target(name: "CLibNl", dependencies: ["CNlHeaders"]),
    // HTTP over libcurl on an event loop.
    .target(name: "HTTPTransport", dependencies: ["CLibCurl", "EventLoop"], swiftSettings: strict),
    // IP addresses, prefixes, ranges and socket addresses. Pure.
    .target(name: "Addresses", swiftSettings: strict),
    // One libev loop per thread: watchers, timers, tasks from other threads, owned descriptors.
    .target(name: "EventLoop", dependencies: ["CLibEv"], swiftSettings: strict),
    // What is served and how an endpoint is chosen. Pure.
    .target(name: "Balancing", dependencies: ["Addresses"], swiftSettings: strict),
    // The packet path: shards, listeners, connections, the relay.
    .target(
      name: "Proxy", dependencies: ["Addresses", "Balancing", "CLibEv", "EventLoop"],
      swiftSettings: strict),
    // Which Service gets which external IP, and who tells the network.
    .target(
      name: "Announcing", dependencies: ["Addresses", "CLibEv", "CLibNl", "EventLoop"], swiftSettings: strict),
    // Kubernetes objects, read from manifest files; which endpoints a Service has.
    .target(
      name: "Kubernetes",
      dependencies: [
        "Addresses", "Announcing", "Balancing", "EventLoop", "HTTPTransport", .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    // The admin port: health, state; its client, and what status and explain print.
    .target(
      name: "Admin", dependencies: ["Addresses", "CLibCurl", "CLibEv", "CMicroHTTPD", "EventLoop"],
      swiftSettings: strict),
    // The commands, and the controller that joins the libraries.
    .executableTarget(
      name: "roadstead",
      dependencies: [
        "Addresses", "Admin", "Announcing", "Balancing", "CLibEv", "EventLoop", "Kubernetes", "Proxy",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),
    // The client and the server of the measurements.
    .executableTarget(
      name: "roadstead-load",
      dependencies: [
        "Addresses", "CLibEv", "EventLoop",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ], path: "Benchmarks/load", swiftSettings: strict),

    // Blocking sockets, servers and processes for the tests.
    .target(name: "TestKit", dependencies: ["Addresses", "CLibEv"], path: "Tests/TestKit", swiftSettings: strict),
    .testTarget(name: "AddressesTests", dependencies: ["Addresses", "TestKit"], swiftSettings: strict),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "CLibEv", "TestKit"], swiftSettings: strict),
    .testTarget(name: "BalancingTests", dependencies: ["Balancing", "TestKit"], swiftSettings: strict),
    .testTarget(name: "ProxyTests", dependencies: ["Proxy", "TestKit"], swiftSettings: strict),
    .testTarget(
      name: "AnnouncingTests", dependencies: ["Addresses", "Announcing", "CLibNl", "EventLoop", "TestKit"],
      swiftSettings: strict),
    .testTarget(
      name: "HTTPTransportTests", dependencies: ["Addresses", "EventLoop", "HTTPTransport", "TestKit"],
      swiftSettings: strict),
    .testTarget(
      name: "KubernetesTests",
      dependencies: ["Addresses", "Balancing", "EventLoop", "HTTPTransport", "Kubernetes", "TestKit"],
      swiftSettings: strict),
    .testTarget(
      name: "AdminTests", dependencies: ["Addresses", "Admin", "EventLoop", "TestKit"], swiftSettings: strict),
    .testTarget(
      name: "RoadsteadTests",
      dependencies: [
        "Addresses", "Admin", "Announcing", "Balancing", "Kubernetes", "Proxy", "TestKit", "roadstead",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["TestKit", "roadstead"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
