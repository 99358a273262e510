import Glibc

/// A shard's 256 KiB blocks: one scratch to read into, others only while they hold bytes that wait. Loop only.
///
/// A block whose bytes could not all be sent is kept by the relay as it is, without a copy, and the
/// shard reads into another.
@safe final class BufferPool {
  /// Bytes in a block, and the most that one read takes.
  static let blockSize = 256 * 1024
  /// What one read takes while many blocks are in use or a connection is not yet established.
  static let smallReadSize = 16 * 1024
  // 32 MiB a shard may wait in large reads; past it each slow reader adds 16 KiB at most.
  private static let manyBlocks = 128
  private static let keptFree = 4

  // Owned here; nil only between take and replacement. Mapped, so that a freed block leaves the process at once.
  @unsafe private(set) var scratch: UnsafeMutableRawPointer
  private var free: [UnsafeMutableRawPointer] = unsafe []
  /// Blocks that relays hold.
  private(set) var inUse = 0

  init() { unsafe scratch = Self.map() }

  deinit {
    unsafe munmap(scratch, Self.blockSize)
    for index in unsafe free.indices { unsafe munmap(free[index], Self.blockSize) }
  }

  /// How much the next read may take.
  var readSize: Int { inUse < Self.manyBlocks ? Self.blockSize : Self.smallReadSize }

  /// Gives the scratch away with what it holds, and takes another in its place.
  @unsafe func takeScratch() -> UnsafeMutableRawPointer {
    let taken = unsafe scratch
    unsafe scratch = free.popLast() ?? Self.map()
    inUse += 1
    return unsafe taken
  }

  /// Takes a block back.
  @unsafe func release(_ block: UnsafeMutableRawPointer) {
    inUse -= 1
    if unsafe free.count < Self.keptFree {
      unsafe free.append(block)
    } else {
      unsafe munmap(block, Self.blockSize)
    }
  }

  private static func map() -> UnsafeMutableRawPointer {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let block = unsafe mmap(nil, blockSize, PROT_READ | PROT_WRITE, flags, -1, 0), unsafe block != MAP_FAILED
    else {
      // As with malloc in Swift: without memory for one block there is nothing left to do.
      fatalError("out of memory for a relay buffer")
    }
    return unsafe block
  }
}
