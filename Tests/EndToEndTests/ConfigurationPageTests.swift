import TestKit
import Testing

/// docs/configuration.md and `--help` name the same subcommands and flags.
@Suite struct ConfigurationPageTests {
  @Test("the page has a section for each subcommand with exactly the flags of its --help", .timeLimit(.minutes(2)))
  func flags() throws {
    let documented = try sections()
    let help = try RoadsteadBinary.run(["--help"])
    let subcommands = Self.subcommands(in: help.output)
    #expect(!subcommands.isEmpty, "\(help.transcript)")
    #expect(Set(documented.keys) == Set(subcommands))
    for subcommand in subcommands {
      let result = try RoadsteadBinary.run(["help", subcommand])
      #expect(result.exit == .code(0))
      let real = Self.flags(in: result.output).subtracting(["--help", "-h", "--version"])
      #expect(documented[subcommand] == real, "roadstead \(subcommand)")
    }
  }

  /// Section heads are "## `roadstead NAME`"; a flag is a table row that begins with "| `--flag…`" or "| `-f…`".
  private func sections() throws -> [String: Set<String>] {
    var all: [String: Set<String>] = [:]
    var current: String?
    for line in try readFile("\(RoadsteadBinary.checkout)/docs/configuration.md").split(separator: "\n") {
      if line.hasPrefix("## ") {
        current = line.firstMatch(of: /## `roadstead ([a-z]+)`/).map { String($0.1) }
        if let current { all[current] = [] }
      } else if let current, line.hasPrefix("| `-") {
        let cell = line.dropFirst(2).prefix { $0 != "|" }
        all[current]?.formUnion(cell.matches(of: /`(-[-a-z]+)/).map { String($0.1) })
      }
    }
    return all
  }

  private static func subcommands(in help: [String]) -> [String] {
    var names: [String] = []
    for line in help.drop(while: { $0 != "SUBCOMMANDS:" }).dropFirst() {
      // A name stands two spaces in; the text that goes on stands further.
      guard let match = line.prefixMatch(of: /\s\s([a-z]+)/) else {
        if line.isEmpty { break } else { continue }
      }
      names.append(String(match.1))
    }
    return names.filter { $0 != "help" }
  }

  /// The flags at the start of the option lines of a help text.
  private static func flags(in help: [String]) -> Set<String> {
    var all: Set<String> = []
    for line in help.drop(while: { $0 != "OPTIONS:" }).dropFirst() where line.hasPrefix("  -") {
      for word in line.dropFirst(2).split(separator: "  ")[0].split(whereSeparator: { ", /".contains($0) })
      where word.hasPrefix("-") { all.insert(String(word)) }
    }
    return all
  }
}
