import Foundation
import Testing

@testable import Kubernetes

struct TextTests {
  /// One value as text, so that two trees can be compared.
  static func plain(_ value: MarkedValue) -> String {
    switch value.content {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .decimal(let number): "\(number)f"
    case .string(let text): "'\(text)'"
    case .list(let values): "[" + values.map { plain($0) }.joined(separator: ",") + "]"
    case .map(let fields): "{" + fields.map { "\($0.key):\(plain($0.value))" }.joined(separator: ",") + "}"
    }
  }

  static func yaml(_ text: String) -> String {
    do throws(SyntaxError) {
      return try YAMLText.documents(text).map { plain($0) }.joined(separator: " ")
    } catch {
      return "\(error.line): \(error.message)"
    }
  }

  static func json(_ text: String) -> String {
    do throws(SyntaxError) {
      return try JSONText.documents(Array(text.utf8)).map { plain($0) }.joined(separator: " ")
    } catch {
      return "\(error.line): \(error.message)"
    }
  }

  static let scalars: [(String, String)] = [
    ("yes", "true"), ("No", "false"), ("on", "true"), ("OFF", "false"), ("y", "true"), ("n", "false"), ("True", "true"),
    ("'yes'", "'yes'"), ("\"off\"", "'off'"), ("!!str yes", "'yes'"), ("yES", "'yES'"), ("~", ""), ("''", "''"),
    ("80", "80"), ("-1", "-1"), ("+5", "5"), ("0x1F", "31"), ("010", "8"), ("0o17", "15"), ("0b101", "5"),
    ("1_000", "1000"), ("08", "8.0f"), ("1.5", "1.5f"), (".5", "0.5f"), ("1e3", "1000.0f"), ("80.0", "80.0f"),
    ("1:30", "'1:30'"), ("10.0.0.1", "'10.0.0.1'"), ("2026-01-01", "'2026-01-01'"), ("1.2.3", "'1.2.3'"),
    ("99999999999999999999", "1e+20f"), ("-", "[null]"), ("0x", "'0x'"), ("--1", "'--1'"), ("!!int '5'", "5"),
  ]

  @Test("a YAML word means what it means to kubectl", arguments: scalars)
  func yamlScalar(text: String, meaning: String) { #expect(Self.yaml(text) == meaning) }

  static let yamlTexts: [(String, String)] = [
    ("a: 1\r\nb:\r\n- x\r\n", "{a:1,b:['x']}"),
    ("a: &x {b: 1}\nc: *x\n", "{a:{b:1},c:{b:1}}"),
    ("base: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n", "{base:{b:1,c:2},d:{b:3,c:2}}"),
    ("---\n---\na: 1\n---\n# nothing\n", "{a:1}"), ("", ""), ("# only this\n", ""), ("yes: 1\n", "{true:1}"),
    ("a: 1\na: 2\n", "1: the key 'a' appears twice in a mapping"),
    (
      "a: 1\n\tb: 2\n",
      "2: not valid YAML: while scanning a plain scalar begun in line 1: found a tab character that violates indentation"
    ),
    (
      "a: [1\nb: 2\n",
      "2: not valid YAML: while parsing a flow sequence begun in line 1: did not find expected ',' or ']'"
    ),
    ("a: *x\n", "1: not valid YAML: found undefined alias"),
    ("? [a]\n: b\n", "1: a key must be a word, not a list or a mapping"),
    ("a: !!binary aGk=\n", "1: the tag 'tag:yaml.org,2002:binary' is not supported"),
    ("a:\n  <<: 5\n", "2: '<<' merges mappings, not a number (5)"),
    ("a: \u{7}\n", "1: not valid YAML: control characters are not allowed"),
  ]

  @Test("YAML is read with its lines", arguments: yamlTexts)
  func yamlText(text: String, meaning: String) { #expect(Self.yaml(text) == meaning) }

  static let jsonTexts: [(String, String)] = [
    (#"{"a": [1, -2.5, true, null], "b": {}}"#, "{a:[1,-2.5f,true,null],b:{}}"), ("{} \n {\"a\":1}", "{} {a:1}"),
    (#""\u00e9\ud83d\ude00\n\/""#, "'é😀\n/'"), ("\t[ ]\r\n", "[]"), ("1e2", "100.0f"), ("", ""),
    ("12345678901234567890123", "1.2345678901234568e+22f"),
    ("{\"a\": 1,\n\"a\": 2}", "2: the key 'a' appears twice"),
    ("{\n\"a\": 1,\n}", "3: found '}' where a key in quotes should be"),
    ("[1,\n2", "2: the JSON ends in the middle of a list"), ("[1 2]", "1: found '2' where ',' or ']' should be"),
    ("{\"a\" 1}", "1: the key 'a' is not followed by ':'"),
    ("\"a\nb\"", "1: a string contains a control character (a line break, perhaps)"),
    ("\"a", "1: a string is not closed"), (#""\x""#, "1: 'x' after a backslash is no JSON escape"),
    (#""\ud83d""#, "1: half of a surrogate pair in a \\u escape"),
    (#""\u+123""#, "1: a \\u escape needs four hexadecimal digits"),
    ("01", "1: a number must not begin with 0"), ("1.", "1: a number lacks digits"), ("-", "1: a number lacks digits"),
    ("nul", "1: found a word that JSON does not have"), ("{", "1: the JSON ends in the middle of an object"),
    ("[", "1: the JSON ends in the middle"), ("{\"a\":", "1: the JSON ends in the middle"),
    ("'a'", "1: found ''' where a JSON value should begin"),
  ]

  @Test("JSON is read with its lines, and nothing more is taken for JSON", arguments: jsonTexts)
  func jsonText(text: String, meaning: String) { #expect(Self.json(text) == meaning) }

  @Test func `a byte order mark is passed over, other encodings are refused by name`() {
    let text = serviceText("web")
    #expect(problems("\u{FEFF}" + text) == [])
    func message(_ bytes: [UInt8]) -> String {
      do throws(SyntaxError) {
        _ = try ManifestContent(bytes, file: "a.yaml")
        return ""
      } catch {
        return "\(error.line): \(error.message)"
      }
    }
    #expect(message([0xFF, 0xFE, 0x61, 0]) == "1: is UTF-16; manifests are UTF-8")
    #expect(message(Array("a: 1\nb: ".utf8) + [0xC3, 0x28]) == "2: is not UTF-8")
  }

  @Test("nesting is bounded", arguments: ["[", "- ", "{a: ", "? ", "{\"a\":", "[["])
  func nesting(opening: String) {
    for depth in [150, 250, 999, 1100, 100_000] {
      let text = String(repeating: opening, count: depth)
      #expect(problems(text).count <= 1)
      #expect(problems(text, file: "a.json").count == 1)
      _ = problems(text + String(repeating: opening.contains("{") ? "}" : "]", count: depth))
    }
  }

  @Test func `a deep document is refused with its line`() {
    let deep = String(repeating: "[", count: 201) + String(repeating: "]", count: 201)
    #expect(problems(deep, file: "a.json") == ["a.json:1: nested deeper than 200 levels"])
    #expect(problems("\n" + deep) == ["web.yaml:2: nested deeper than 200 levels"])
  }

  @Test func `aliases that multiply are refused at once`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in 1..<12 {
      text += "a\(i): &a\(i) [" + Array(repeating: "*a\(i - 1)", count: 9).joined(separator: ", ") + "]\n"
    }
    let started = ContinuousClock.now
    #expect(problems(text).first?.contains("the aliases multiply to too many values") == true)
    // The parser hashes its keys whole.
    for key in [
      "? *a11\n: 1\n", "*a11 : 1\n", "k: {*a11 : 1}\n", "k: {? *a11 : 1}\n", "? [*a11]\n: 1\n", "[*a11]: 1\n",
      "{a: *a11}: 1\n", "- ? *a11\n  : 1",
    ] {
      #expect(problems(text + key).first?.contains("as a key is not supported") == true, "\(key)")
    }
    #expect(ContinuousClock.now - started < .seconds(30))
  }

  @Test func `many honest aliases and templates are read`() {
    var text =
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {a: \"{{ x }} what? *b *c\"}}\nspec:\n"
    text += "  type: LoadBalancer\n  selector: &s {app: web}\n  ports:\n"
    for i in 1...20 { text += "  - &p\(i) {port: \(i), name: p-\(i), protocol: \(i == 1 ? "&tcp TCP" : "*tcp")}\n" }
    #expect(problems(text) == [])
  }

  @Test func `JSON in a file of any name is JSON, and braces may also begin YAML`() throws {
    let json =
      #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"LoadBalancer","ports":[{"port":80}]}}"#
    #expect(try read(json, file: "a.yaml").entries.count == 1)
    #expect(try read(json + "\n" + json.replacing("web", with: "db"), file: "a.json").entries.count == 2)
    #expect(try read("{apiVersion: v1, kind: Node, metadata: {name: a}}", file: "a.yml").entries.count == 1)
  }

  @Test func `lists hold objects, named lists imply their kind, and lists may hold lists`() throws {
    let typed =
      #"{"apiVersion":"v1","kind":"NodeList","metadata":{},"items":[{"metadata":{"name":"a"}},{"metadata":{}}]}"#
    let content = try read(typed, file: "a.json")
    #expect(content.entries.map(\.object.reference.description) == ["Node//a".replacing("//", with: "/")])
    #expect(content.problems.map(\.description) == ["a.json:1: Node: metadata.name: is required"])
    #expect(
      problems("apiVersion: apps/v1\nkind: DeploymentList\nitems: [{}]\n") == [
        "web.yaml:1: DeploymentList: notice: apps/v1 DeploymentList is not read; skipped"
      ])
    let nested =
      "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: a}}]}\n"
    #expect(try read(nested).entries.count == 1)
  }

  @Test func `YAML and JSON give equal objects`() throws {
    // The same document, written as JSON by Foundation.
    func tree(_ value: MarkedValue) -> Any {
      switch value.content {
      case .null: NSNull()
      case .bool(let flag): flag
      case .integer(let number): number
      case .decimal(let number): number
      case .string(let text): text
      case .list(let values): values.map { tree($0) }
      case .map(let fields): Dictionary(uniqueKeysWithValues: fields.map { ($0.key, tree($0.value)) })
      }
    }
    let document = try #require(try YAMLText.documents(Exports.everything).first)
    let json = try JSONSerialization.data(withJSONObject: tree(document), options: [.prettyPrinted])
    let fromJSON = try ManifestContent(Array(json), file: "a.json")
    let fromYAML = try read(Exports.everything)
    #expect(fromJSON.problems == [])
    #expect(fromJSON.entries.map(\.object) == fromYAML.entries.map(\.object))
    #expect(fromYAML.entries.count == 8)
  }
}
