/// `--announce`: which external addresses the network is told of.
enum AnnounceMode: String, CaseIterable, Sendable {
  /// Those that an L2Advertisement selects.
  case auto
  /// None: they come to the host in another way.
  case none
  /// All but loopback addresses, also those of `--listen`.
  case layer2
}
