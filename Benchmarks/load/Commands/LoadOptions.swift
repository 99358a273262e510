import ArgumentParser

/// What all works take.
struct LoadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How long to count. (default: 5)", valueName: "seconds"))
  var seconds: Double?

  @Option(help: ArgumentHelp("Count so many units, instead of for a time.", valueName: "units"))
  var count: Int?

  @Option(help: ArgumentHelp("How long the load runs before it is counted.", valueName: "seconds"))
  var warmUp = 0.0

  @Option(help: ArgumentHelp("Connections, flows or streams at the same time.", valueName: "number"))
  var concurrency = 1

  @Option(
    name: .customLong("watch-cpu"),
    help: ArgumentHelp("Tell how much CPU time this process uses meanwhile. As often as wanted.", valueName: "pid"))
  var watchCPU: [Int] = []

  @Option(
    help: ArgumentHelp("Bind clients to these, one after the other.", valueName: "address-address"),
    transform: { text throws in try SourceAddresses.parse(text) })
  var sources: SourceAddresses?

  mutating func validate() throws {
    if let seconds, !(seconds > 0 && seconds <= 1e6) { throw ValidationError("--seconds must be above 0") }
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if seconds != nil, count != nil { throw ValidationError("--count and --seconds exclude each other") }
    if !(warmUp >= 0 && warmUp <= 1e6) { throw ValidationError("--warm-up must not be negative") }
    if concurrency < 1 { throw ValidationError("--concurrency must be at least 1") }
    let most = OpenFiles.raised()
    if concurrency > most - OpenFiles.spare {
      throw ValidationError("--concurrency \(concurrency) is too much for the limit of open files, \(most)")
    }
  }

  var limits: Limits {
    var limits = Limits()
    limits.seconds = seconds ?? limits.seconds
    limits.count = count
    limits.warmUp = warmUp
    limits.watched = watchCPU
    return limits
  }

  /// `--sources`, which have to be of the target's family.
  func sources(for target: Target) throws(ValidationError) -> SourceAddresses? {
    if let sources, sources.family != target.address.address.family {
      throw ValidationError("--sources must be of the target's address family")
    }
    return sources
  }
}

/// How long requests and replies are.
struct LengthOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A request's length, 32 at least.", valueName: "bytes"))
  var request = 64

  @Option(help: ArgumentHelp("A reply's length, 32 at least.", valueName: "bytes"))
  var reply = 64

  mutating func validate() throws {
    for (name, value) in [("--request", request), ("--reply", reply)] {
      guard (Header.size...(1 << 30)).contains(value) else {
        throw ValidationError("\(name) must be from \(Header.size) to \(1 << 30) bytes")
      }
    }
  }

  func check(for target: Target) throws(ValidationError) {
    guard target.scheme == .udp else { return }
    for (name, value) in [("--request", request), ("--reply", reply)] where value > DatagramBatch.longest {
      throw ValidationError("\(name) must be at most \(DatagramBatch.longest) bytes for a datagram")
    }
  }
}
