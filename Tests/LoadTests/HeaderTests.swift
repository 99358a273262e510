import Testing

@testable import roadstead_load

@Suite struct HeaderTests {
  @Test func `a header is 32 bytes, big endian`() {
    let buffer = Buffer(size: 64)
    buffer.write(
      Header(flags: .closes, requestLength: 64, replyLength: Header.endless, sequence: 0x0102_0304_0506_0708))
    #expect(
      buffer.copy(32) == [
        0x52, 0x53, 0x4c, 0x44,  // RSLD
        0, 0, 0, 1,  // closes
        0, 0, 0, 0, 0, 0, 0, 64,  // the request's length
        255, 255, 255, 255, 255, 255, 255, 255,  // an endless reply
        1, 2, 3, 4, 5, 6, 7, 8,  // the sequence number
      ])
  }

  @Test func `what was written is read again`() {
    let buffer = Buffer(size: 64)
    let header = Header(flags: .asksForCount, requestLength: 1 << 40, replyLength: 48, sequence: .max)
    buffer.write(header)
    #expect(buffer.header == header)
    buffer.writeSequence(7)
    #expect(buffer.header?.sequence == 7)
    #expect(buffer.header?.requestLength == 1 << 40)
  }

  @Test func `another magic number is no header`() {
    let buffer = Buffer(size: 64)
    #expect(buffer.header == nil)
    buffer.write(Array("GET / HTTP/1.1\r\n".utf8))
    #expect(buffer.header == nil)
  }

  @Test func `a buffer compares what came in pieces`() {
    let (request, reply) = (Buffer(size: 64), Buffer(size: 64))
    request.write(Header(requestLength: 64, replyLength: 64, sequence: 3))
    reply.write(Array(request.copy(32)[20...]))
    #expect(reply.begins(as: request, from: 20, count: 12))
    #expect(!reply.begins(as: request, from: 19, count: 12))
  }
}
