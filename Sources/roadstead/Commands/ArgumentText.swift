import Addresses
import ArgumentParser
import Balancing
import Kubernetes
import Logging

/// `[tcp://|udp://]ADDRESS:PORT` of `--listen`.
struct ListenArgument: ExpressibleByArgument {
  let address: ListenAddress

  init?(argument: String) {
    let isUDP = argument.hasPrefix("udp://")
    let text = isUDP || argument.hasPrefix("tcp://") ? argument.dropFirst("tcp://".count) : argument[...]
    guard let address = SocketAddress(text), address.port > 0 else { return nil }
    self.address = ListenAddress(isUDP ? .udp : .tcp, address)
  }
}

/// `ADDRESS:PORT[,weight=N]` of `--to`.
struct ToAddress: ExpressibleByArgument {
  let endpoint: Endpoint

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard let first = parts.first, let address = SocketAddress(first), address.port > 0 else { return nil }
    var weight = 1
    for part in parts.dropFirst() {
      guard part.hasPrefix("weight="), let value = Int(part.dropFirst("weight=".count)), (1...256).contains(value)
      else {
        return nil
      }
      weight = value
    }
    endpoint = Endpoint(address, weight: weight)
  }
}

/// `30s`, `1m30s`, `500ms`.
struct DurationArgument: ExpressibleByArgument {
  let seconds: Double
  let defaultValueDescription: String

  init(seconds: Double, text: String) {
    self.seconds = seconds
    defaultValueDescription = text
  }

  init?(argument: String) {
    guard let seconds = try? DurationText.seconds(argument) else { return nil }
    self.init(seconds: seconds, text: argument)
  }
}

extension BalancePolicy: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
extension TextLogHandler.Format: ExpressibleByArgument {}
