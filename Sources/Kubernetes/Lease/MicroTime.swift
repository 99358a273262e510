/// A moment to the microsecond, as the API's MicroTime writes it: RFC 3339 in UTC with six digits after the second.
///
/// Years 0 to 9999, for the text has no room for others.
struct MicroTime: Hashable, Sendable {
  /// Since 1970-01-01T00:00:00Z.
  var microseconds: Int

  init(microseconds: Int) { self.microseconds = microseconds }

  /// Seconds of Unix time, rounded down.
  var unixSeconds: Int { Self.divided(microseconds, by: 1_000_000).quotient }

  /// Euclidean: the remainder is never negative.
  private static func divided(_ value: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

extension MicroTime: CustomStringConvertible {
  /// As `2026-11-23T09:05:07.000123Z`.
  var description: String {
    let (seconds, fraction) = Self.divided(microseconds, by: 1_000_000)
    let (day, second) = Self.divided(seconds, by: 86_400)
    let date = Self.date(ofDay: day)
    return "\(Self.digits(date.year, 4))-\(Self.digits(date.month, 2))-\(Self.digits(date.day, 2))"
      + "T\(Self.digits(second / 3600, 2)):\(Self.digits(second / 60 % 60, 2)):\(Self.digits(second % 60, 2))"
      + ".\(Self.digits(fraction, 6))Z"
  }

  private static func digits(_ value: Int, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
}

extension MicroTime {
  /// Reads RFC 3339 (section 5.6): any offset, any number of digits after the second, of which six count.
  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard let year = Self.number(&rest, 4), Self.skip(&rest, "-"), let month = Self.number(&rest, 2),
      Self.skip(&rest, "-"), let day = Self.number(&rest, 2), Self.skip(&rest, "T") || Self.skip(&rest, "t"),
      let hour = Self.number(&rest, 2), Self.skip(&rest, ":"), let minute = Self.number(&rest, 2),
      Self.skip(&rest, ":"), let second = Self.number(&rest, 2),
      1...12 ~= month, day >= 1, hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = Self.day(year: year, month: month, day: day)
    // A day that the month does not have comes out as one of the next.
    guard Self.date(ofDay: days) == (year, month, day) else { return nil }
    guard let fraction = Self.fraction(&rest), let offset = Self.offset(&rest), rest.isEmpty else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }

  private static func skip(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  private static func digit(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard let byte = rest.first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
    rest.removeFirst()
    return Int(byte - UInt8(ascii: "0"))
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
    var value = 0
    for _ in 0..<count {
      guard let digit = digit(&rest) else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Microseconds after the point; 0 without one.
  private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard skip(&rest, ".") else { return 0 }
    guard var value = digit(&rest) else { return nil }
    var count = 1
    while let digit = digit(&rest) {
      if count < 6 { value = value * 10 + digit }
      count += 1
    }
    while count < 6 {
      value *= 10
      count += 1
    }
    return value
  }

  /// Seconds east of UTC.
  private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int? {
    if skip(&rest, "Z") || skip(&rest, "z") { return 0 }
    let isWest = skip(&rest, "-")
    guard isWest || skip(&rest, "+"), let hours = number(&rest, 2), skip(&rest, ":"), let minutes = number(&rest, 2),
      hours < 24, minutes < 60
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return isWest ? -seconds : seconds
  }
}

/// The proleptic Gregorian calendar, by eras of 400 years that begin on the first of March: a leap day is then the last
/// of its year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
extension MicroTime {
  private static let daysPerEra = 146_097
  /// From 0000-03-01 to 1970-01-01.
  private static let daysBefore1970 = 719_468

  /// Days since 1970-01-01.
  private static func day(year: Int, month: Int, day: Int) -> Int {
    let (era, yearOfEra) = divided(month <= 2 ? year - 1 : year, by: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * daysPerEra + dayOfEra - daysBefore1970
  }

  private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = divided(day + daysBefore1970, by: daysPerEra)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = (monthFromMarch + 2) % 12 + 1
    return (
      era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }
}
