import Addresses
import Announcing
import Glibc
import Testing

@Suite struct AllocationStoreTests {
  static let sample: [ServiceName: [AddressAssignment]] = [
    named("hostname-svc-lb"): [AddressAssignment(ip("10.101.0.50"), pool: "lab")],
    named("shop/web"): [
      AddressAssignment(ip("10.101.0.51"), pool: "lab"), AddressAssignment(ip("fd00::1"), pool: "six"),
    ],
    ServiceName(namespace: "odd \"one\"\n", name: "ünï/\\cödé"): [AddressAssignment(ip("::"), pool: "")],
  ]

  @Test func `what is saved is there after a restart`() throws {
    let directory = try TemporaryDirectory()
    for round in 0..<3 {
      let store = try AllocationStore(directory: directory.path)
      #expect(store.restored == (round == 0 ? [:] : Self.sample))
      try store.save([:])
      try store.save(Self.sample)
    }
    #expect(directory.names == ["allocations.json", "lock"])
  }

  @Test func `a missing directory is made, and a missing parent is an error that names it`() throws {
    let directory = try TemporaryDirectory()
    _ = try AllocationStore(directory: directory.path + "/state")
    let error = #expect(throws: AllocationStoreError.self) {
      _ = try AllocationStore(directory: directory.path + "/no/state")
    }
    #expect(error?.description == "cannot make state directory \(directory.path)/no/state: No such file or directory")
    try directory.write("file", [])
    let notDirectory = #expect(throws: AllocationStoreError.self) {
      _ = try AllocationStore(directory: directory.path + "/file")
    }
    #expect(notDirectory?.description == "cannot open state directory \(directory.path)/file: Not a directory")
  }

  @Test func `a file cut off after any byte is refused and left as it is`() throws {
    let directory = try TemporaryDirectory()
    try AllocationStore(directory: directory.path).save(Self.sample)
    let whole = try directory.read(AllocationStore.fileName)
    for length in whole.indices {
      let cut = Array(whole.prefix(length))
      try directory.write(AllocationStore.fileName, cut)
      let error = #expect(throws: AllocationStoreError.self) { _ = try AllocationStore(directory: directory.path) }
      guard case .damaged(let path, _) = error else {
        Issue.record("after \(length) bytes: \(String(describing: error))")
        return
      }
      #expect(path == directory.path + "/allocations.json")
      #expect(try directory.read(AllocationStore.fileName) == cut)
    }
    try directory.write(AllocationStore.fileName, whole)
    #expect(try AllocationStore(directory: directory.path).restored == Self.sample)
  }

  @Test func `a file with any byte altered is refused`() throws {
    let directory = try TemporaryDirectory()
    try AllocationStore(directory: directory.path).save(Self.sample)
    let whole = try directory.read(AllocationStore.fileName)
    for index in whole.indices {
      var altered = whole
      altered[index] ^= 1
      try directory.write(AllocationStore.fileName, altered)
      #expect(throws: AllocationStoreError.self, "byte \(index)") {
        _ = try AllocationStore(directory: directory.path)
      }
    }
  }

  @Test(arguments: ["hello", "{}", "[1,2,3]", "\n", "{\"format\":\"other\",\"version\":1}", "\0\0\0\0"])
  func `a foreign file is refused and left as it is`(_ text: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write(AllocationStore.fileName, Array(text.utf8))
    let error = #expect(throws: AllocationStoreError.self) { _ = try AllocationStore(directory: directory.path) }
    let path = directory.path + "/allocations.json"
    #expect(error == .foreign(path: path))
    #expect(
      error?.description
        == "\(path) was not written by roadstead; it is left as it is; move it away to start without it")
    #expect(try directory.read(AllocationStore.fileName) == Array(text.utf8))
  }

  @Test func `a file of a later version is refused by its version`() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      AllocationStore.fileName, Array(#"{"format":"roadstead-allocations","version":2,"else":true}"#.utf8))
    let error = #expect(throws: AllocationStoreError.self) { _ = try AllocationStore(directory: directory.path) }
    #expect(error?.description.contains("has format version 2, and this roadstead knows 1") == true)
  }

  @Test func `a foreign file that appears while the store is open is not overwritten`() throws {
    let directory = try TemporaryDirectory()
    let store = try AllocationStore(directory: directory.path)
    let path = directory.path + "/allocations.json"
    try directory.write(AllocationStore.fileName, Array("mine".utf8))
    #expect(throws: AllocationStoreError.foreign(path: path)) { try store.save(Self.sample) }
    #expect(try directory.read(AllocationStore.fileName) == Array("mine".utf8))
    directory.remove(AllocationStore.fileName)
    try store.save(Self.sample)
    let whole = try directory.read(AllocationStore.fileName)
    try directory.write(AllocationStore.fileName, Array(whole.dropLast(7)))
    #expect(throws: AllocationStoreError.self) { try store.save([:]) }
    #expect(try directory.read(AllocationStore.fileName) == Array(whole.dropLast(7)))
    // Put back, perhaps from a backup: fine again.
    try directory.write(AllocationStore.fileName, whole)
    try store.save([:])
  }

  @Test func `two processes cannot have one directory`() throws {
    let directory = try TemporaryDirectory()
    do {
      let first = try AllocationStore(directory: directory.path)
      let error = #expect(throws: AllocationStoreError.self) { _ = try AllocationStore(directory: directory.path) }
      #expect(
        error?.description
          == "state directory \(directory.path) is in use by another roadstead (process \(getpid()))")
      try first.save([:])
    }
    _ = try AllocationStore(directory: directory.path)
  }

  @Test func `what a process left that died while writing is cleared away`() throws {
    let directory = try TemporaryDirectory()
    try AllocationStore(directory: directory.path).save(Self.sample)
    try directory.write("allocations.json.new", Array("{\"form".utf8))
    let store = try AllocationStore(directory: directory.path)
    #expect(store.restored == Self.sample)
    #expect(directory.names == ["allocations.json", "lock"])
    try store.save([:])
  }

  @Test func `a directory that is gone is a clear error`() throws {
    let directory = try TemporaryDirectory()
    let state = directory.path + "/state"
    let store = try AllocationStore(directory: state)
    directory.remove("state")
    let error = #expect(throws: AllocationStoreError.self) { try store.save([:]) }
    #expect(error?.description == "cannot make \(state)/allocations.json.new: No such file or directory")
  }

  @Test(.timeLimit(.minutes(3))) func `who reads while the store is saved sees a whole file each time`() async throws {
    let directory = try TemporaryDirectory()
    let many = Dictionary(
      uniqueKeysWithValues: (0..<200).map { index in
        (named("s\(index)"), [AddressAssignment(IPAddress(v4: UInt32(index)), pool: "lab")])
      })
    let path = directory.path
    let store = try AllocationStore(directory: path)
    try store.save([:])
    let ends: Set<UInt8> = [UInt8(ascii: "}")]
    let reader = Task.detached {
      var sizes: Set<Int> = []
      while !Task.isCancelled {
        let bytes = try TemporaryDirectory.read(path + "/allocations.json")
        guard let last = bytes.last, ends.contains(last) else { return Set([-1]) }
        sizes.insert(bytes.count)
        await Task.yield()
      }
      return sizes
    }
    // Each is synced to the disk, which others may keep busy.
    for round in 0..<20 {
      try store.save(round % 2 == 0 ? many : [:])
      await Task.yield()
    }
    reader.cancel()
    let sizes = try await reader.value
    #expect(sizes.count <= 2 && !sizes.contains(-1))
  }
}
