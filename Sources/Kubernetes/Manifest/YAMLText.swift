import Yams

/// Reads YAML into values that know their lines, with the meanings that `kubectl` gives them.
///
/// `kubectl` reads YAML 1.1 (sigs.k8s.io/yaml): `yes`, `no`, `on`, `off`, `y` and `n` are booleans there. Merge keys
/// (`<<`) work. Aliases may not blow a document up beyond one value per byte of text and a million more.
struct YAMLText {
  private var budget: Int

  /// The documents of `text`, empty ones left out.
  static func documents(_ text: String) throws(SyntaxError) -> [MarkedValue] {
    try YAMLAliases.check(text)
    var yaml = YAMLText(budget: text.utf8.count + 1_000_000)
    var documents: [MarkedValue] = []
    do {
      // Yams hands the text's address to libyaml for longer than it may. That address is stable where the parser holds a
      // string of more than 15 bytes; shorter ones have no storage of their own.
      let text = text.utf8.count < 16 ? text + String(repeating: "\n", count: 16) : text
      // The basic resolver guesses nothing: `scalar(_:)` does what kubectl does. UTF-8 named: no look at the environment.
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      while let root = try parser.nextRoot() {
        let document = try yaml.value(root, depth: 0)
        if case .null = document.content { continue }
        documents.append(document)
      }
    } catch let error as SyntaxError {
      throw error
    } catch let error as YamlError {
      throw SyntaxError(error, text)
    } catch {
      throw SyntaxError(line: 1, message: "\(error)")
    }
    return documents
  }

  private mutating func value(_ node: Yams.Node, depth: Int) throws(SyntaxError) -> MarkedValue {
    let line = node.mark?.line ?? 1
    budget -= 1
    guard budget > 0 else { throw SyntaxError(line: line, message: "the aliases multiply to too many values") }
    switch node {
    case .scalar(let scalar): return MarkedValue(content: try YAMLScalar.content(scalar, line: line), line: line)
    case .sequence(let sequence):
      try checkDepth(depth, line)
      var values: [MarkedValue] = []
      values.reserveCapacity(sequence.count)
      for element in sequence { values.append(try value(element, depth: depth + 1)) }
      return MarkedValue(content: .list(values), line: line)
    case .mapping(let mapping):
      try checkDepth(depth, line)
      var fields: [MarkedValue.Field] = []
      fields.reserveCapacity(mapping.count)
      var merged: [MarkedValue] = []
      for pair in mapping {
        let keyLine = pair.key.mark?.line ?? line
        let value = try value(pair.value, depth: depth + 1)
        guard case .scalar(let scalar) = pair.key else {
          throw SyntaxError(line: keyLine, message: "a key must be a word, not a list or a mapping")
        }
        if scalar.string == "<<", scalar.style == .plain {
          merged.append(value)
        } else {
          fields.append(.init(key: YAMLScalar.key(scalar), line: keyLine, value: value))
        }
      }
      for value in merged { try merge(value, into: &fields) }
      return MarkedValue(content: .map(fields), line: line)
    case .alias: throw SyntaxError(line: line, message: "an alias that leads nowhere")
    }
  }

  private func checkDepth(_ depth: Int, _ line: Int) throws(SyntaxError) {
    guard depth < MarkedValue.maximalDepth else {
      throw SyntaxError(line: line, message: "nested deeper than \(MarkedValue.maximalDepth) levels")
    }
  }

  // The mapping's own keys win over merged ones, and earlier merged ones over later (yaml.org/type/merge.html).
  private func merge(_ value: MarkedValue, into fields: inout [MarkedValue.Field]) throws(SyntaxError) {
    switch value.content {
    case .map(let more):
      var keys = Set(fields.map(\.key))
      for field in more where keys.insert(field.key).inserted { fields.append(field) }
    case .list(let values):
      for value in values {
        guard case .map = value.content else {
          throw SyntaxError(line: value.line, message: "'<<' merges mappings, not \(value.article)")
        }
        try merge(value, into: &fields)
      }
    default: throw SyntaxError(line: value.line, message: "'<<' merges mappings, not \(value.article)")
    }
  }
}

extension SyntaxError {
  fileprivate init(_ error: YamlError, _ text: String) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      // libyaml marks where it gave up, which may be the line after the last.
      let lines = text.utf8.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
      let what = context.map { "\($0.text) begun in line \($0.mark.line): " } ?? ""
      self.init(line: min(max(mark.line, 1), lines), message: "not valid YAML: \(what)\(problem)")
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0).utf8
      let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
      self.init(line: line, message: "not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.map { "'\($0)'" }.joined(separator: ", ")
      self.init(
        line: max(context.mark.line, 1),
        message: "the key\(keys.count > 1 ? "s" : "") \(names) appears twice in a mapping")
    default: self.init(line: 1, message: "not valid YAML")
    }
  }
}
