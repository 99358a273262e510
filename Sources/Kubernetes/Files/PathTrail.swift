import Glibc

/// The way the kernel goes to a path: every name it looks up, in which directory, through all symbolic links.
///
/// Whatever of it is renamed, removed or made again, the path leads elsewhere. A mounted ConfigMap changes in the
/// middle of the way: `dir/file.yaml → ..data/file.yaml`, `..data → ..2026_01_01/`.
struct PathTrail {
  /// One name looked up.
  struct Step: Hashable {
    /// Absolute and free of symbolic links.
    let directory: String
    let name: String
  }

  private(set) var steps: [Step] = []
  /// Where the way ends, absolute and free of symbolic links; nil where a part of it is missing.
  private(set) var end: String?
  /// Whether the last step is for the path's last name, there or not: every directory before it is there.
  private(set) var reachesLastName = false

  // The kernel's own limit (path_resolution(7)).
  private static let maximalLinks = 40

  /// Follows `path`, from the working directory where it is relative.
  init(following path: String) {
    var pending = Array(Self.absolute(path).split(separator: "/").map(String.init).reversed())
    var current = ""
    var links = 0
    while let name = pending.popLast() {
      if name == "." { continue }
      if name == ".." {
        current = current.lastIndex(of: "/").map { String(current[..<$0]) } ?? ""
        continue
      }
      steps.append(Step(directory: current.isEmpty ? "/" : current, name: name))
      let next = "\(current)/\(name)"
      switch FileSystem.look(next) {
      case .missing:
        reachesLastName = pending.isEmpty
        return
      case .other: current = next
      case .link(let target):
        links += 1
        guard links <= Self.maximalLinks else { return }
        if target.hasPrefix("/") { current = "" }
        pending += target.split(separator: "/").map(String.init).reversed()
      }
    }
    end = current.isEmpty ? "/" : current
    reachesLastName = true
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileSystem.workingDirectory)/\(path)"
  }
}
