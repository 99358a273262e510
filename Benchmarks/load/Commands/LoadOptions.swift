import ArgumentParser

/// What all works take that have a counted window.
struct LoadOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: ArgumentHelp("How long to count. (default: 5)", valueName: "seconds"))
  var seconds: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Count so many units, instead of for a time.", valueName: "units"))
  var count: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How long the load runs before it is counted.", valueName: "seconds"))
  var warmUp = 0.0

  @OptionGroup var clients: ClientOptions

  mutating func validate() throws {
    if let seconds { try Limits.check(seconds: seconds) }
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if seconds != nil, count != nil { throw ValidationError("--count and --seconds exclude each other") }
    if !(warmUp >= 0 && warmUp <= 1e6) { throw ValidationError("--warm-up must be from 0 to 1,000,000") }
  }

  var limits: Limits {
    var limits = Limits()
    limits.seconds = seconds ?? limits.seconds
    limits.count = count
    limits.warmUp = warmUp
    limits.watched = clients.watchCPU
    return limits
  }
}

extension Limits {
  /// Throws where `--seconds` are none.
  static func check(seconds: Double) throws(ValidationError) {
    if !(seconds > 0 && seconds <= 1e6) {
      throw ValidationError("--seconds must be above 0, and at most 1,000,000")
    }
  }
}

/// Who puts the load, and whom it is held against. What all works take.
///
/// Numbers are taken whatever they begin with, so that a negative one is refused as what it is.
struct ClientOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Connections, flows or streams at the same time.", valueName: "number"))
  var concurrency = 1

  @Option(
    name: .customLong("watch-cpu"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Tell how much CPU time this process uses meanwhile, without its children. As often as wanted.",
      valueName: "pid"))
  var watchCPU: [Int] = []

  @Option(
    help: ArgumentHelp("Bind clients to these, one after the other.", valueName: "address-address"),
    transform: { text throws in try SourceAddresses.parse(text) })
  var sources: SourceAddresses?

  mutating func validate() throws {
    if concurrency < 1 { throw ValidationError("--concurrency must be at least 1") }
    let most = OpenFiles.raised()
    if concurrency > most - OpenFiles.spare {
      throw ValidationError("--concurrency \(concurrency) is too much for the limit of open files, \(most)")
    }
  }

  /// `--sources`, which have to be of the target's family.
  func sources(for target: Target) throws(ValidationError) -> SourceAddresses? {
    if let sources, sources.family != target.address.address.family {
      throw ValidationError("--sources must be of the target's address family")
    }
    return sources
  }
}
