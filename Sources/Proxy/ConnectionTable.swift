/// A shard's open connections, held strongly: libev does not. Loop only.
struct ConnectionTable: ~Copyable {
  private var slots: [Connection?] = []
  private var free: [Int] = []
  private(set) var count = 0

  mutating func insert(_ connection: Connection) {
    count += 1
    if let slot = free.popLast() {
      slots[slot] = connection
      connection.slot = slot
    } else {
      connection.slot = slots.count
      slots.append(connection)
    }
  }

  mutating func remove(_ connection: Connection) {
    guard connection.slot >= 0 else { return }
    slots[connection.slot] = nil
    free.append(connection.slot)
    connection.slot = -1
    count -= 1
  }

  /// Those open now, apart from the table, which may change while they are gone through.
  var all: [Connection] { slots.compactMap(\.self) }
}
