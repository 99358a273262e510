import Addresses
import ArgumentParser
import Balancing
import Kubernetes
import Logging

/// What the words of the command line mean; each says what is wrong with a word that means nothing.
enum ArgumentText {
  /// `[tcp://|udp://]ADDRESS:PORT` of `--listen`.
  static func listen(_ text: String) throws(ValidationError) -> ListenAddress {
    let isUDP = text.hasPrefix("udp://")
    let rest = isUDP || text.hasPrefix("tcp://") ? text.dropFirst("tcp://".count) : text[...]
    return ListenAddress(isUDP ? .udp : .tcp, try address(rest))
  }

  /// `ADDRESS:PORT[,weight=N]` of `--to`.
  static func endpoint(_ text: String) throws(ValidationError) -> Endpoint {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let address = try address(parts[0])
    var weight = 1
    for part in parts.dropFirst() {
      guard part.hasPrefix("weight="), let value = Int(part.dropFirst("weight=".count)), (1...256).contains(value)
      else { throw ValidationError("after the address only ',weight=N' may stand, with N from 1 to 256") }
      weight = value
    }
    return Endpoint(address, weight: weight)
  }

  /// An IP address, no name, and a port that is not 0.
  static func address(_ text: some StringProtocol) throws(ValidationError) -> SocketAddress {
    guard let address = SocketAddress(text), address.port > 0 else {
      throw ValidationError("must be IP:PORT or [IPV6]:PORT, with a port from 1 to 65535")
    }
    return address
  }

  /// The duration of `--probe-time`, in seconds.
  static func probeTime(_ text: String) throws -> Double {
    let seconds = try DurationText.seconds(text)
    guard seconds >= 0.3, seconds <= 10 else { throw ValidationError("must be at least 300ms and at most 10s") }
    return seconds
  }

  /// The number of `--shards`.
  static func shards(_ text: String) throws(ValidationError) -> Int {
    guard let count = Int(text), (1...64).contains(count) else {
      throw ValidationError("must be a number from 1 to 64")
    }
    return count
  }
}

extension AnnounceMode: ExpressibleByArgument {}
extension BalancePolicy: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
extension TextLogHandler.Format: ExpressibleByArgument {}
