import Addresses
import Admin
import Testing

@Suite struct AdminAddressTests {
  @Test(
    "the four forms are read, and printed as they were",
    arguments: ["127.0.0.1:9900", "[::1]:0", "unix:/run/a b", "none"])
  func forms(text: String) throws {
    #expect(try AdminAddress(text).description == text)
  }

  @Test("the standard address is 127.0.0.1:9900")
  func standard() { #expect(AdminAddress.standard.description == "127.0.0.1:9900") }

  @Test(
    "anything else is an error that repeats it",
    arguments: [
      "", "9900", ":9900", "localhost:9900", "::1:9900", "127.0.0.1", "127.0.0.1:65536", "unix:", "None", "unix",
    ])
  func others(text: String) {
    #expect { try AdminAddress(text) } throws: { error in
      (error as? AdminError)?.code == .address && "\(error)".contains("'\(text)'")
    }
  }

  @Test("a path of 107 bytes is the longest")
  func longPaths() throws {
    _ = try AdminAddress("unix:/" + String(repeating: "x", count: 106))
    #expect(throws: AdminError.self) { try AdminAddress("unix:/" + String(repeating: "x", count: 107)) }
    #expect(throws: AdminError.self) { try AdminAddress("unix:/a\u{0}b") }
  }
}
