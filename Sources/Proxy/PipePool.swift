import CLibEv
import Glibc

/// A pipe for splice(2), and how many bytes are inside.
struct Pipe {
  let readEnd: CInt
  let writeEnd: CInt
  /// Bytes that it takes at the most; pages fill it sooner.
  let size: Int
  /// Bytes inside. Counted, since EAGAIN is the same for a full pipe and an empty socket.
  var count = 0

  func close() {
    _ = Glibc.close(readEnd)
    _ = Glibc.close(writeEnd)
  }
}

/// A shard's empty pipes: as with ``BufferPool``, one is borrowed for each transfer, and stays with the relay
/// only while bytes wait in it. Loop only.
final class PipePool {
  // /proc/sys/fs/pipe-max-size allows 1 MiB to everybody; what it holds at once costs half of what 256 KiB cost a byte.
  private static let size: CInt = 1024 * 1024
  private static let keptFree = 8
  // 64 MiB a shard may wait in full pipes; past it each slow reader adds 64 KiB at most.
  private static let manyPipes = 64
  private static let smallTransfer = 64 * 1024
  /// Pipes that relays hold.
  private var inUse = 0
  private let free = FlatArray<Pipe>(capacity: keptFree)

  deinit { while let pipe = free.popLast() { pipe.close() } }

  /// An empty pipe; nil when the system has none to give (EMFILE, ENFILE).
  func take() -> Pipe? {
    inUse += 1
    if let pipe = free.popLast() { return pipe }
    var ends: [CInt] = [-1, -1]
    let size = unsafe clinux_pipe(&ends, Self.size)
    guard size > 0 else {
      inUse -= 1
      return nil
    }
    return Pipe(readEnd: ends[0], writeEnd: ends[1], size: Int(size))
  }

  /// How much one transfer through `pipe` may take.
  func transferSize(of pipe: Pipe) -> Int { inUse <= Self.manyPipes ? pipe.size : min(pipe.size, Self.smallTransfer) }

  /// Takes a pipe back. One with bytes inside is closed, never handed on.
  func release(_ pipe: Pipe) {
    inUse -= 1
    if pipe.count == 0, free.count < Self.keptFree { free.append(pipe) } else { pipe.close() }
  }
}
