import Glibc

/// Takes all capabilities from the calling thread for the rest of its life (capabilities(7)); other threads keep theirs.
public func dropCapabilities() throws {
  // capset(2): glibc has the function and no header for it. _LINUX_CAPABILITY_VERSION_3 with the calling thread's id,
  // then three empty sets, each in two halves.
  typealias Capset = @convention(c) (UnsafePointer<UInt32>, UnsafePointer<UInt32>) -> CInt
  guard let symbol = unsafe dlsym(nil, "capset") else { throw TestFailure("there is no capset") }
  let capset = unsafe unsafeBitCast(symbol, to: Capset.self)
  let header: [UInt32] = [0x2008_0522, 0]
  let sets = [UInt32](repeating: 0, count: 6)
  // Both arrays live through the call.
  guard unsafe capset(header, sets) == 0 else { throw TestFailure("capset: \(errorText())") }
}
