import Addresses
import Admin
import EventLoop
import Glibc
import TestKit
import Testing

/// The admin port on a unix socket.
@Suite struct UnixSocketTests {
  @Test("it answers, belongs to its owner alone, and is removed at the end", .timeLimit(.minutes(1)))
  func lifetime() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("admin")
    let server = try RunningServer(.hello, at: "unix:\(path)")
    #expect(try server.get("/hello").body == Array("hello\n".utf8))
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    server.stop()
    #expect(unsafe lstat(path, &status) == -1)
  }

  @Test("one that a dead process left is replaced", .timeLimit(.minutes(1)))
  func stale() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("admin")
    try abandonSocket(at: path)
    let server = try RunningServer(.hello, at: "unix:\(path)")
    #expect(try server.get("/hello").status == 200)
  }

  @Test("one in use is an error that names it, and stays", .timeLimit(.minutes(1)))
  func live() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("admin")
    let first = try RunningServer(.hello, at: "unix:\(path)")
    #expect(throws: AdminError(.inUse, "unix:\(path) is in use by another process")) {
      _ = try RunningServer(.hello, at: "unix:\(path)")
    }
    #expect(try first.get("/hello").status == 200)
  }

  @Test("a file that is no socket is an error, and stays", .timeLimit(.minutes(1)))
  func ordinaryFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("admin")
    unsafe close(open(path, O_CREAT | O_WRONLY, 0o600))
    #expect(
      throws: AdminError(.inUse, "cannot listen at unix:\(path): the file exists and is not a socket")
    ) { _ = try RunningServer(.hello, at: "unix:\(path)") }
    #expect(unsafe access(path, F_OK) == 0)
  }

  @Test("a directory that does not exist is an error that says so", .timeLimit(.minutes(1)))
  func noDirectory() throws {
    #expect(
      throws: AdminError(.system, "cannot listen at unix:/nonexistent/admin: No such file or directory")
    ) { _ = try RunningServer(.hello, at: "unix:/nonexistent/admin") }
  }

  @Test("a socket that took its place is left alone at the end", .timeLimit(.minutes(1)))
  func replaced() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("admin")
    let first = try RunningServer(.hello, at: "unix:\(path)")
    unsafe unlink(path)
    let second = try RunningServer(.hello, at: "unix:\(path)")
    first.stop()
    #expect(try second.get("/hello").status == 200)
  }

  /// Binds a socket and closes it, as a process does that dies.
  private func abandonSocket(at path: String) throws {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe bind(
        descriptor, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_un>.size))
    }
    guard bound == 0 else { throw TestFailure("cannot bind \(path)") }
  }
}
