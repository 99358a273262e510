import CLibEv

/// What a descriptor is watched for, or is ready for. An error or a hang-up shows as both.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var read: Readiness { Readiness(rawValue: 1) }
  @inlinable public static var write: Readiness { Readiness(rawValue: 2) }

  /// libev's own constants, checked once when the first loop is made.
  static func checkAgainstLibev() { precondition(EV_READ == 1 && EV_WRITE == 2, "libev's event bits have changed") }
}
