import EventLoop
import HTTPTransport

/// Where an API server is, whom to trust there, and how to show who we are.
public struct ClusterConnection: Sendable {
  /// What it is called: the kubeconfig's context, or `in-cluster`.
  public var name: String
  /// Without a slash at its end: `https://10.0.0.1:6443`.
  public var server: String
  public var options: TransportOptions
  /// The bearer token as of now. Any thread may ask; it may read a small file.
  public var token: @Sendable () -> String?
  /// The context's, or the pod's own.
  public var namespace: String?
  /// What works, but probably should not be so; a line each.
  public var warnings: [String]

  public init(
    name: String, server: String, options: TransportOptions = TransportOptions(),
    token: @escaping @Sendable () -> String? = { nil }, namespace: String? = nil, warnings: [String] = []
  ) {
    self.name = name
    self.server = server
    self.options = options
    self.token = token
    self.namespace = namespace
    self.warnings = warnings
  }

  /// A client whose connections live on `loop`, which should serve nothing urgent (see ``CurlTransport``).
  public func client(_ loop: EventLoop) -> APIClient {
    APIClient(transport: CurlTransport(loop: loop, options: options), server: server, token: token)
  }
}
