/// Elements without references, changed in place. Loop only.
///
/// An `Array` in a class costs a check of exclusive access with every change, and often a retain and a release with a
/// look; this costs neither.
@safe final class FlatArray<Element: BitwiseCopyable> {
  // Allocated here, freed in deinit; no pointer into it is ever given out.
  private var elements: UnsafeMutablePointer<Element>
  private var capacity: Int
  private(set) var count: Int

  init(capacity: Int = 16) {
    self.capacity = max(capacity, 1)
    count = 0
    unsafe elements = .allocate(capacity: self.capacity)
  }

  /// `count` times the same.
  convenience init(repeating element: Element, count: Int) {
    self.init(capacity: count)
    unsafe elements.initialize(repeating: element, count: count)
    self.count = count
  }

  deinit { unsafe elements.deallocate() }

  var indices: Range<Int> { 0..<count }

  /// Traps on an index that is not in ``indices``, in every build.
  subscript(index: Int) -> Element {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "no such element")
      return unsafe elements[index]
    }
    _modify {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "no such element")
      yield unsafe &elements[index]
    }
  }

  func append(_ element: Element) {
    if count == capacity { move(to: 2 * capacity) }
    unsafe (elements + count).initialize(to: element)
    count += 1
  }

  func popLast() -> Element? {
    guard count > 0 else { return nil }
    count -= 1
    return unsafe elements[count]
  }

  /// Replaces what is there by `count` times the same.
  func fill(with element: Element, count: Int) {
    self.count = 0
    if count > capacity { move(to: count) }
    unsafe elements.initialize(repeating: element, count: count)
    self.count = count
  }

  private func move(to capacity: Int) {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    unsafe larger.moveInitialize(from: elements, count: count)
    unsafe elements.deallocate()
    unsafe elements = larger
    self.capacity = capacity
  }
}
