import Addresses
import Testing

@Suite struct AddressTextTests {
  @Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("10.101.0.50", "10.101.0.50"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("FD00:0:0:0:0:0:0:1", "fd00::1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
  ])
  func `an address is read and written in its shortest form`(_ text: String, _ shortest: String) {
    #expect(IPAddress(text)?.description == shortest)
  }

  @Test(arguments: [
    "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/32", "1.2.3.-4",
    "0x1.2.3.4",
    "1.2.3.4\0", "1.2.3.4\0junk", "\0", "::1\0", ":", ":::", "1::2::3", "12345::", "fe80::1%eth0", "[::1]", "g::",
    "1:2:3:4:5:6:7", "١.٢.٣.٤", "localhost",
  ])
  func `what is no address is refused`(_ text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test func `addresses sort by family and number`() {
    let sorted = ["9.0.0.1", "10.0.0.0", "255.0.0.0", "::", "::2", "ff::"].map { IPAddress($0)! }
    #expect(sorted.shuffled().sorted() == sorted)
  }

  @Test func `an address advances within its family only`() {
    #expect(IPAddress("1.2.3.255")?.advanced(by: 1)?.description == "1.2.4.0")
    #expect(IPAddress("255.255.255.255")?.advanced(by: 1) == nil)
    #expect(IPAddress("::")?.advanced(by: .max)?.advanced(by: 1) == nil)
    #expect(IPAddress(.v4, bits: 1 << 32) == nil)
  }

  @Test(arguments: [
    ("10.0.0.5/24", "10.0.0.0/24", "10.0.0.255", true), ("0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", false),
    ("1.2.3.4/32", "1.2.3.4/32", "1.2.3.4", false), ("fd00::1/64", "fd00::/64", "fd00::ffff:ffff:ffff:ffff", true),
    ("::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false), ("::1/128", "::1/128", "::1", false),
  ])
  func `a prefix is read, cleared of host bits and has a last address`(
    _ text: String, _ network: String, _ last: String, _ hasHostBits: Bool
  ) {
    #expect(IPPrefix(text)?.description == network)
    #expect(IPPrefix(text)?.last.description == last)
    #expect(IPPrefix.hasHostBits(text) == hasHostBits)
  }

  @Test(arguments: [
    "", "/", "/24", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/8/8",
    "1.2.3.4/ 8",
    "1.2.3.4/99999999999999999999", "1.2.3.4\0/8", "1.2.3.4/8\0",
  ])
  func `what is no prefix is refused`(_ text: String) {
    #expect(IPPrefix(text) == nil)
    #expect(!IPPrefix.hasHostBits(text))
  }

  @Test(arguments: [
    ("10.101.0.50-10.101.0.60", "10.101.0.50-10.101.0.60", 11), ("\t1.2.3.4 - 1.2.3.4 ", "1.2.3.4-1.2.3.4", 1),
    ("1.2.3.0/24", "1.2.3.0-1.2.3.255", 256), ("fd00::1-fd00::2", "fd00::1-fd00::2", 2),
    ("::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UInt128.max),
  ])
  func `a range is read from two addresses or a prefix`(_ text: String, _ range: String, _ count: UInt128) throws {
    #expect(try IPRange(parsing: text).description == range)
    #expect(try IPRange(parsing: text).count == count)
  }

  @Test(arguments: [
    ("1.2.3.4", "a single address is written 1.2.3.4/32"), ("fd00::1", "a single address is written fd00::1/128"),
    ("1.2.3.9-1.2.3.4", "the range is reversed: 1.2.3.9 is above 1.2.3.4"),
    ("1.2.3.4-fd00::1", "the range mixes IPv4 and IPv6"), ("1.2.3.4-", "'' is not an IP address"),
    ("-", "'' is not an IP address"), ("1.2.3.4-1.2.3.5-1.2.3.6", "'1.2.3.5-1.2.3.6' is not an IP address"),
    ("1.2.3.4/33", "'33' is not a prefix length of its address family"), ("", "'' is not an IP address"),
    ("lab", "'lab' is not an IP address"),
  ])
  func `what is no range is refused with the reason`(_ text: String, _ reason: String) {
    let error = #expect(throws: IPRange.ParseError.self) { try IPRange(parsing: text) }
    #expect(error?.description == reason)
  }

  @Test(arguments: [
    ("1.2.3.4:80", "1.2.3.4:80"), ("[::1]:65535", "[::1]:65535"), ("0.0.0.0:0", "0.0.0.0:0"),
    ("[fd00:0:0::1]:8080", "[fd00::1]:8080"),
  ])
  func `a socket address is read and written`(_ text: String, _ written: String) {
    #expect(SocketAddress(text)?.description == written)
  }

  @Test(arguments: [
    "", ":", ":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:8 0", "::1:80",
    "[::1]",
    "[::1]:", "[1.2.3.4]:80", "[]:80", "[:80", "]:80", "[::1]]:80", "1.2.3.4:80\0", "[::1\0]:80",
  ])
  func `what is no socket address is refused`(_ text: String) {
    #expect(SocketAddress(text) == nil)
  }
}
