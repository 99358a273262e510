/// How many datagrams without a reply came, by the upper half of their sequence numbers: a flow of a run.
///
/// A table of fixed size: a newer flow takes the place of an older one 65,536 flows before it, or by chance.
@safe final class DatagramCounts {
  private struct Entry {
    var flow: UInt32
    var count: UInt64
    var bytes: UInt64
  }

  private static let size = 65_536
  // Allocated in init, freed in deinit; indices are below its size.
  private let entries: UnsafeMutablePointer<Entry>

  init() {
    unsafe entries = .allocate(capacity: Self.size)
    unsafe entries.initialize(repeating: Entry(flow: 0, count: 0, bytes: 0), count: Self.size)
  }

  deinit { unsafe entries.deallocate() }

  func add(_ sequence: UInt64, _ count: Int, bytes: Int) {
    let flow = UInt32(sequence >> 32)
    let entry = unsafe entries + Int(flow) % Self.size
    if unsafe entry.pointee.flow != flow { unsafe entry.pointee = Entry(flow: flow, count: 0, bytes: 0) }
    unsafe entry.pointee.count &+= UInt64(count)
    unsafe entry.pointee.bytes &+= UInt64(bytes)
  }

  func of(_ sequence: UInt64) -> (count: UInt64, bytes: UInt64) {
    let flow = UInt32(sequence >> 32)
    let entry = unsafe entries + Int(flow) % Self.size
    return unsafe entry.pointee.flow == flow ? (entry.pointee.count, entry.pointee.bytes) : (0, 0)
  }
}
