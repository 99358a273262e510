import HTTPTransport
import Testing

@Test func `header names compare without case`() {
  let head = HTTPHead(status: 200, headers: [.init("Content-Type", "text/plain"), .init("content-type", "other")])
  #expect(head["CONTENT-TYPE"] == "text/plain")
  #expect(head["Content-Length"] == nil)
}
