import Announcing

/// What there is to announce with.
enum AnnouncerChoice: Sendable {
  case announcer(any Announcer)
  /// None, and why, as `announcing needs CAP_NET_ADMIN and CAP_NET_RAW`.
  case unavailable(String)
}

/// Makes the announcer of `--announce auto` and `--announce layer2`; `seconds`: how long an address is probed;
/// `lifetime`: how long, in seconds, the kernel keeps one that is not renewed.
func makeLayer2Announcer(probing seconds: Double, lifetime: UInt32) async -> AnnouncerChoice {
  do {
    return .announcer(try await Layer2Announcer.start(probing: seconds, lifetime: lifetime))
  } catch AnnouncementObstacle.missingCapability {
    // Whichever was missed first: who lacks one of them needs to hear of both.
    return .unavailable(
      """
      announcing needs CAP_NET_ADMIN and CAP_NET_RAW: run as root, or give them to the binary or the unit \
      (docs/operations.md)
      """)
  } catch {
    return .unavailable("\(error)")
  }
}
