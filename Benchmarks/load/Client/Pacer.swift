/// stub
final class Pacer {
  func windowBegan(at now: UInt64) {}
  func windowEnded(at now: UInt64) {}
  var hasQueue: Bool { false }
  func isFree(_ client: Client, _ now: UInt64) {}
}
