import Announcing

/// What there is to announce with.
enum AnnouncerChoice: Sendable {
  case announcer(any Announcer)
  /// None, and why, as `needs CAP_NET_ADMIN`.
  case unavailable(String)
}

/// Makes the announcer of `--announce auto` and `--announce layer2`; `seconds`: how long an address is probed.
func makeLayer2Announcer(probing seconds: Double) async -> AnnouncerChoice {
  do {
    return .announcer(try await Layer2Announcer.start(probing: seconds))
  } catch {
    return .unavailable("\(error)")
  }
}
