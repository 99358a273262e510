import Admin
import Testing

/// The JSON of `/api/v1/state` is a public format.
@Suite struct StateTests {
  @Test("what is written is read again")
  func roundTrip() throws {
    #expect(try AdminState(json: AdminState.example.json()) == .example)
  }

  @Test("names and forms of the JSON are as documented")
  func form() {
    let text = String(decoding: AdminState.example.json(), as: UTF8.self)
    for part in [
      "\"startedAt\" : \"2026-01-31T12:00:00Z\"", "\"uptimeSeconds\" : 192", "\"isReady\" : false",
      "\"total\" : \"18446744073709551616\"", "\"protocol\" : \"TCP\"", "\"targetPort\" : \"80\"",
      "\"takesTraffic\" : false", "\"severity\" : \"error\"", "\"fd00::/64\"", "\"client-reset\" : 1",
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
    #expect(text.hasSuffix("}\n"))
  }

  @Test("counters keep all of their 64 bits")
  func largeCounters() throws {
    var state = AdminState.example
    state.counters.bytesIn = .max
    state.counters += AdminState.Counters(bytesIn: 1, closes: ["finished": .max])
    #expect(state.counters.bytesIn == .max && state.counters.closes["finished"] == .max)
    #expect(try AdminState(json: state.json()) == state)
  }

  @Test("fields of a later version are skipped")
  func laterFields() throws {
    let text = String(decoding: AdminState.example.json(), as: UTF8.self)
    let later = text.replacing("\"uptimeSeconds\"", with: "\"later\" : {\"a\" : [1]},\n  \"uptimeSeconds\"")
    #expect(try AdminState(json: later.utf8) == .example)
  }

  @Test(
    "what is not a state is an error that says where",
    arguments: [
      ("", "it is not JSON"), ("{", "it is not JSON"), ("{}", "no version"), ("[]", " has another type"),
      ("{\"version\": 1}", "version has another type"),
    ])
  func notAState(text: String, place: String) {
    #expect { try AdminState(json: text.utf8) } throws: { error in "\(error)".hasSuffix(place) }
  }

  @Test("times are RFC 3339 in UTC", arguments: [(0, "1970-01-01T00:00:00Z"), (1_769_860_800, "2026-01-31T12:00:00Z")])
  func times(unixSeconds: Int, text: String) { #expect(RFC3339.text(unixSeconds: unixSeconds) == text) }
}
