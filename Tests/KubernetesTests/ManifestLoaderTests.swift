import Foundation
import Testing

@testable import Kubernetes

/// A loader behind a reference: the test macros call nothing that mutates a value.
private final class Loading {
  private var loader: ManifestLoader
  init(_ paths: [String]) { loader = ManifestLoader(paths: paths) }
  func reload() -> ManifestSnapshot { loader.reload() }
  func refresh(_ files: Set<String>) -> ManifestSnapshot? { loader.refresh(files) }
  func rescan() -> ManifestSnapshot? { loader.rescan() }
  func current() -> ManifestSnapshot { loader.current() }
}

struct ManifestLoaderTests {
  @Test func `directories give their manifests by name, and nothing hidden`() throws {
    let directory = try TemporaryDirectory()
    for name in ["b.yaml", "a.yml", "c.json", ".d.yaml", "e.txt", "f.yaml~"] {
      let text = serviceText("s-\(name.first == "." ? "d" : name.prefix(1))")
      try directory.write(name, name.hasSuffix("json") ? "{}" : text)
    }
    try directory.makeDirectory("sub.yaml")
    let snapshot = ManifestLoader.load([directory.path + "/", directory.path + "/e.txt"])
    #expect(snapshot.files.map { $0.path.split(separator: "/").last } == ["a.yml", "b.yaml", "c.json", "e.txt"])
    #expect(snapshot.store.services.keys.map(\.name).sorted() == ["s-a", "s-b", "s-e"])
    #expect(snapshot.problems.map(\.message) == ["is required", "is required"])
    #expect(snapshot.hasReadAnything)
  }

  @Test func `a missing path is an error, and alone means that nothing was read`() {
    let snapshot = ManifestLoader.load(["/nonexistent/x.yaml"])
    #expect(snapshot.problems.map(\.description) == ["/nonexistent/x.yaml: cannot be read: No such file or directory"])
    #expect(!snapshot.hasReadAnything)
  }

  @Test func `an object defined twice is used once, and both places are named`() throws {
    let directory = try TemporaryDirectory()
    let a = try directory.write("a.yaml", serviceText("web", port: 1) + "\n---\n" + serviceText("web", port: 2))
    let b = try directory.write("b.yaml", serviceText("web", port: 3))
    let loader = Loading([directory.path])
    var snapshot = loader.reload()
    #expect(
      snapshot.problems.map(\.description) == [
        "\(a):13: Service/web: is defined at \(a):1 already, and that one is used",
        "\(b):1: Service/web: is defined at \(a):1 already, and that one is used",
      ])
    #expect(try service(snapshot.store).spec.ports[0].port == 1)
    // The first one goes: the other one takes its place.
    try directory.remove("a.yaml")
    snapshot = try #require(loader.refresh([a]))
    #expect(try service(snapshot.store).spec.ports[0].port == 3)
    #expect(snapshot.problems == [])
    #expect(snapshot.changes == [ObjectReference(.service, NamespacedName(name: "web"))])
    // It comes back, and is first again.
    try directory.write("a.yaml", serviceText("web", port: 4))
    snapshot = try #require(loader.refresh([a]))
    #expect(try service(snapshot.store).spec.ports[0].port == 4)
    #expect(snapshot.problems.count == 1)
    try directory.remove("b.yaml")
    snapshot = try #require(loader.refresh([b]))
    #expect(snapshot.problems == [])
    #expect(snapshot.changes == [])
  }

  @Test func `a directory without a manifest is a warning until it has one`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("notes.txt", "no manifest")
    let loader = Loading([directory.path])
    var snapshot = loader.reload()
    #expect(
      snapshot.problems.map(\.description)
        == ["\(directory.path): warning: no *.yaml, *.yml or *.json file is in this directory"])
    #expect(!snapshot.hasReadAnything)
    let path = try directory.write("a.yaml", serviceText("web", port: 1))
    snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.problems == [] && snapshot.hasReadAnything)
  }

  @Test func `an object that becomes invalid keeps its last good version, the others follow the file`() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("a.yaml", serviceText("web", port: 1) + "\n---\n" + serviceText("db", port: 1))
    let loader = Loading([directory.path])
    _ = loader.reload()
    try directory.write("a.yaml", serviceText("web", port: 99999) + "\n---\n" + serviceText("db", port: 2))
    var snapshot = try #require(loader.refresh([path]))
    #expect(try service(snapshot.store).spec.ports[0].port == 1)
    #expect(try service(snapshot.store, "db").spec.ports[0].port == 2)
    #expect(snapshot.files.map(\.state) == [.partlyStale])
    #expect(snapshot.changes.map(\.description) == ["Service/db"])
    #expect(snapshot.problems.map(\.severity) == [.notice, .error])
    #expect(snapshot.problems[0].description.hasSuffix("Service/web: notice: its last good version is kept"))
    #expect(snapshot.problems[0].logMessage.hasSuffix("Service/web: its last good version is kept"))
    // The file does not parse: all of its objects are kept.
    try directory.write("a.yaml", "a: [")
    snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.changes == [])
    #expect(snapshot.store.count == 2)
    #expect(snapshot.files.map(\.state) == [.stale])
    #expect(snapshot.problems.first?.message.hasSuffix("; the last good state of its 2 objects is kept") == true)
    // Good again, and one object less.
    try directory.write("a.yaml", serviceText("web", port: 5))
    snapshot = try #require(loader.refresh([path]))
    #expect(try service(snapshot.store).spec.ports[0].port == 5)
    #expect(snapshot.store.count == 1)
    #expect(snapshot.problems == [])
  }

  @Test func `a misspelt kind does not end the object that it was`() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("a.yaml", serviceText("web"))
    let loader = Loading([path])
    _ = loader.reload()
    try directory.write("a.yaml", serviceText("web").replacing("kind: Service", with: "kind: Servcie"))
    let snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.store.services.count == 1)
  }

  @Test func `a path that is gone keeps what was read from it, a file gone from a directory does not`() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("conf")
    let web = try directory.write("conf/web.yaml", serviceText("web"))
    try directory.write("conf/db.yaml", serviceText("db"))
    let loader = Loading([directory.path + "/conf"])
    _ = loader.reload()
    try directory.remove("conf")
    var snapshot = try #require(loader.rescan())
    #expect(snapshot.store.count == 2)
    #expect(snapshot.changes == [])
    #expect(
      snapshot.problems.map(\.message) == [
        "cannot be read: No such file or directory; the last good state of its 2 objects is kept"
      ])
    #expect(loader.reload().store.count == 2)
    try directory.makeDirectory("conf")
    try directory.write("conf/web.yaml", serviceText("web", port: 7))
    snapshot = try #require(loader.rescan())
    #expect(snapshot.store.count == 1)
    #expect(try service(snapshot.store).spec.ports[0].port == 7)
    #expect(snapshot.problems == [])
    try directory.remove("conf/web.yaml")
    snapshot = try #require(loader.refresh([web]))
    #expect(snapshot.store.count == 0)
  }

  @Test func `an edit that changes nothing gives nothing, one that moves an object changes only its line`() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("a.yaml", serviceText("web"))
    let loader = Loading([path])
    _ = loader.reload()
    #expect(loader.refresh([path]) == nil)
    #expect(loader.rescan() == nil)
    try directory.write("a.yaml", "# moved\n" + serviceText("web"))
    #expect(loader.refresh([path]) == nil)
    #expect(loader.current().store.services[NamespacedName(name: "web")]?.source.line == 2)
  }

  @Test func `what is not a readable file is refused by name`() throws {
    let directory = try TemporaryDirectory()
    let fifo = directory.path + "/fifo.yaml"
    #expect(unsafe mkfifo(fifo, 0o600) == 0)
    let huge = try directory.write("huge.yaml", "")
    #expect(unsafe truncate(huge, off_t(ManifestLoader.maximalFileSize) + 1) == 0)
    try directory.link("loop.yaml", to: "loop.yaml")
    let snapshot = ManifestLoader.load([directory.path])
    #expect(
      snapshot.problems.map(\.message) == [
        "is not a regular file", "is larger than 64 MiB", "cannot be read: Too many levels of symbolic links",
      ])
    #expect(snapshot.files.map(\.state) == [.unreadable, .unreadable, .unreadable])
  }

  @Test func `only the Services that a change can touch are named`() throws {
    let directory = try TemporaryDirectory()
    func pod(_ name: String, _ app: String) -> String {
      "apiVersion: v1\nkind: Pod\nmetadata: {name: \(name), labels: {app: \(app)}}\n"
    }
    try directory.write("s.yaml", serviceText("web") + "\n---\n" + serviceText("db"))
    let path = try directory.write("p.yaml", pod("a", "web"))
    try directory.write("q.yaml", pod("b", "other"))
    let loader = Loading([directory.path])
    _ = loader.reload()
    try directory.write("p.yaml", pod("a", "db"))
    var snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.affectedServices.map(\.name).sorted() == ["db", "web"])
    try directory.write("p.yaml", pod("a", "db") + "spec: {nodeName: node-1}\n")
    snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.affectedServices.map(\.name) == ["db"])
    try directory.write(
      "p.yaml",
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
        + "metadata: {name: x, labels: {kubernetes.io/service-name: web}}\n")
    snapshot = try #require(loader.refresh([path]))
    #expect(snapshot.affectedServices.map(\.name).sorted() == ["db", "web"])
    #expect(snapshot.changes.map(\.description).sorted() == ["EndpointSlice/x", "Pod/a"])
  }
}
