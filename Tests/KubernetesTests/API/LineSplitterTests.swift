import TestKit
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(1))) struct LineSplitterTests {
  private func split(_ chunks: [[UInt8]], limit: Int = 100) -> [String] {
    var splitter = LineSplitter(limit: limit)
    return chunks.flatMap { splitter.split($0) }.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("lines are the same whatever the borders of the chunks")
  func borders() {
    let bytes = Array("one\n\ntwo\r\n \nthree é\nrest".utf8)
    let expected = ["one", "two\r", "three é"]
    for first in 0...bytes.count {
      for second in first...bytes.count {
        #expect(split([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]) == expected)
      }
    }
    #expect(split(bytes.map { [$0] }) == expected)
  }

  @Test("a line over the limit ends it, after the lines before, and nothing more is kept")
  func tooLong() {
    var splitter = LineSplitter(limit: 4)
    #expect(splitter.split(Array("ab\n1234\ncd".utf8)).count == 2)
    #expect(!splitter.isTooLong)
    #expect(splitter.split(Array("efg\nx\n".utf8)).isEmpty)
    #expect(splitter.isTooLong)
    #expect(splitter.pendingCount == 0)
    #expect(splitter.split(Array("x\n".utf8)).isEmpty)
  }

  @Test("random lines in random chunks come as they are")
  func random() {
    var random = SeededRandom(seed: testSeed())
    for _ in 0..<200 {
      let lines = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
        String(repeating: "x", count: Int.random(in: 1...60, using: &random))
      }
      var bytes = Array(lines.map { $0 + "\n" }.joined().utf8)[...]
      var chunks: [[UInt8]] = []
      while !bytes.isEmpty {
        let count = Int.random(in: 1...70, using: &random)
        chunks.append(Array(bytes.prefix(count)))
        bytes = bytes.dropFirst(count)
      }
      #expect(split(chunks) == lines)
    }
  }
}
