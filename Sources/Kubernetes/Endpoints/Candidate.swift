import Addresses

/// Something that could serve a Service, before its ports are looked at.
struct Candidate {
  enum State {
    case ready
    /// On its way out, still serving: used only where nothing is ready.
    case servingWhileTerminating
    case excluded(ExcludedEndpoint.Reason)
  }

  let kind: ExcludedEndpoint.Kind
  let name: String
  /// nil where it has none that can be used.
  let address: IPAddress?
  let node: String?
  let zone: String?
  let state: State
  /// How it finds its port.
  let ports: Ports

  enum Ports {
    /// By number, or by the name of a container's port.
    case pod([Pod.ContainerPort])
    /// By the name of the Service's port, as slices and Endpoints list them.
    case named([EndpointPort])
    case node
  }

  /// The port number that serves `port`; nil where it has none.
  func number(for port: Service.Port) -> UInt16? {
    switch ports {
    case .pod(let containerPorts):
      switch port.targetPort {
      case .int(let number): number
      case .string(let name):
        containerPorts.first { $0.name == name && $0.protocol == port.protocol }?.containerPort
      }
    case .named(let ports): ports.first { $0.name == port.name && $0.protocol == port.protocol }?.port
    case .node: port.nodePort
    }
  }

  /// What the port is called where ``number(for:)`` looks for it.
  func portName(for port: Service.Port) -> String {
    if case .pod = ports { port.targetPort.description } else { port.name }
  }

  func excluded(_ reason: ExcludedEndpoint.Reason) -> ExcludedEndpoint {
    ExcludedEndpoint(kind, name, address: address, reason: reason)
  }
}
