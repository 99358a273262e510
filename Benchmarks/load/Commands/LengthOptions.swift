import ArgumentParser

/// How long requests and replies are.
struct LengthOptions: ParsableArguments {
  @Option(
    name: .customLong("request"), parsing: .unconditional,
    help: ArgumentHelp("A request's length, 32 at least. (default: 64)", valueName: "bytes"))
  var askedRequest: Int?

  @Option(
    name: .customLong("reply"), parsing: .unconditional,
    help: ArgumentHelp("A reply's length, 32 at least. (default: 64)", valueName: "bytes"))
  var askedReply: Int?

  var request: Int { askedRequest ?? 64 }
  var reply: Int { askedReply ?? 64 }

  private var asked: [(name: String, value: Int)] {
    [("--request", askedRequest), ("--reply", askedReply)].compactMap { name, value in value.map { (name, $0) } }
  }

  mutating func validate() throws {
    for (name, value) in asked where !(Header.size...(1 << 30)).contains(value) {
      throw ValidationError("\(name) must be from \(Header.size) to \(1 << 30) bytes")
    }
  }

  func check(for target: Target) throws(ValidationError) {
    for (name, value) in asked {
      switch target.scheme {
      case .tcp: break
      case .udp where value > DatagramBatch.longest:
        throw ValidationError("\(name) must be at most \(DatagramBatch.longest) bytes for a datagram")
      case .udp: break
      case .http:
        throw ValidationError("\(name) has no meaning with http://: the path says what is asked for")
      }
    }
  }
}
