import Testing

@testable import Kubernetes

@Suite struct MicroTimeTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
    (1_795_424_707_000_123, "2026-11-23T09:05:07.000123Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"), (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
  ])
  func `a moment is written with six digits, and read again`(_ microseconds: Int, _ text: String) {
    #expect(MicroTime(microseconds: microseconds).description == text)
    #expect(MicroTime(text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:01.5Z", 1_500_000), ("1970-01-01T00:00:00.1234567899Z", 123_456),
    ("1970-01-01T01:30:00+01:30", 0), ("1969-12-31T22:00:00.25-02:00", 250_000), ("1970-01-01t00:00:00z", 0),
  ])
  func `other ways to write it are read`(_ text: String, _ microseconds: Int) {
    #expect(MicroTime(text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    "", "1970", "1970-01-01", "1970-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
    "1970-01-00T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:00",
    "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00Zx", "+970-01-01T00:00:00Z", "1970-01-01T00:00:00+1:00", "1970-01-01 00:00:00Z",
  ])
  func `what is no moment is none`(_ text: String) {
    #expect(MicroTime(text) == nil)
  }

  @Test func `each day of four centuries comes after the one before`() {
    let day = 86_400_000_000
    var before = ""
    for number in -46_097..<100_000 {
      let time = MicroTime(microseconds: number * day)
      let text = time.description
      guard text > before, MicroTime(text) == time else {
        Issue.record("\(before), then \(text)")
        return
      }
      before = text
    }
  }
}
