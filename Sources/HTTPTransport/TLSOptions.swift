/// Whom to trust, and how to show who we are.
public struct TLSOptions: Hashable, Sendable {
  /// The only authorities that are trusted; nil: those of the system.
  public var authorities: PEMSource?
  public var certificate: PEMSource?
  /// Not encrypted: nobody is asked for a pass phrase.
  public var privateKey: PEMSource?
  /// The name that the server is asked for (SNI) and that its certificate must bear, in place of the URL's host.
  public var serverName: String?
  /// Trusts any server. Whoever stands in between then reads and forges all.
  public var isInsecure: Bool

  public init(
    authorities: PEMSource? = nil, certificate: PEMSource? = nil, privateKey: PEMSource? = nil,
    serverName: String? = nil, isInsecure: Bool = false
  ) {
    self.authorities = authorities
    self.certificate = certificate
    self.privateKey = privateKey
    self.serverName = serverName
    self.isInsecure = isInsecure
  }
}
