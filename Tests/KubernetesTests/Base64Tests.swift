import Foundation
import TestKit
import Testing

@testable import Kubernetes

struct Base64Tests {
  static func encode(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

  @Test func `what is encoded is decoded, with white space anywhere`() throws {
    var random = SeededRandom(seed: testSeed())
    for count in 0..<300 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      var text = Data(bytes).base64EncodedString(options: random.chance(50) ? .lineLength64Characters : [])
      text.insert("\n", at: text.index(text.startIndex, offsetBy: Int.random(in: 0...text.count, using: &random)))
      #expect(try Base64.decode(text) == bytes)
    }
  }

  @Test(
    "what is no base64 is said to be none",
    arguments: [
      ("A", "it is cut short"), ("AA", "it is cut short"), ("AAA", "it is cut short"), ("AA=", "it is cut short"),
      ("AAAA=", "it is cut short"), ("=", "it is cut short"), ("A=AA", "it goes on after a '='"),
      ("A===", "it ends in more than two '='"), ("AA-A", "character 3 does not belong there"),
      ("é", "character 1 does not belong there"),
    ])
  func isNone(_ text: String, _ problem: String) {
    #expect(throws: Base64.DecodingError(message: "is not base64: \(problem)")) { try Base64.decode(text) }
  }
}
