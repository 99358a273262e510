import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(1))) struct ObjectPageTests {
  private func page(_ text: String, _ kind: ObjectKind = .service) -> Result<ObjectPage, WatchFailure> {
    do throws(WatchFailure) {
      return .success(try ObjectPage(Array(text.utf8), of: kind))
    } catch {
      return .failure(error)
    }
  }

  private func failure(_ text: String, _ kind: ObjectKind = .service) -> String {
    if case .failure(let failure) = page(text, kind) { failure.description } else { "no failure" }
  }

  @Test("a typed list's items have no kind, and unknown fields are quiet")
  func typedList() throws {
    let page = try page(APITexts.list("12", [APITexts.service("web", 3)], continuation: "abc")).get()
    #expect(page.version == "12")
    #expect(page.continuation == "abc")
    #expect(page.remaining == 7)
    let web = try #require(page.objects.first)
    #expect(web.problems == [])
    #expect(web.object?.metadata.resourceVersion == "3")
    #expect(web.object?.metadata.uid == "u-web")
  }

  @Test("a custom resource's list has its items first, and an empty one may be null or nothing")
  func customResource() throws {
    let items = """
      [{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"lab","namespace":"x",\
      "resourceVersion":"1"},"spec":{"addresses":["10.0.0.0/24"]}}]
      """
    let end = #""kind":"IPAddressPoolList","metadata":{"continue":"","resourceVersion":"9"}}"#
    let page = try page(#"{"apiVersion":"metallb.io/v1beta1","items":\#(items),\#(end)"#, .ipAddressPool).get()
    #expect(
      page.objects.first?.object?.reference
        == ObjectReference(.ipAddressPool, NamespacedName(namespace: "x", name: "lab")))
    #expect(page.continuation == nil)
    for items in [#""items":null,"#, #""items":[],"#, ""] {
      #expect(try self.page("{\(items)\(end)", .ipAddressPool).get().objects.isEmpty)
    }
  }

  @Test("an object that cannot be used is a problem with its name and field, without a file")
  func invalidObject() throws {
    let bad = APITexts.service("bad", 3).replacing(#""port":80"#, with: #""port":99999"#)
    let page = try page(APITexts.list("12", [bad, APITexts.service("good", 4)])).get()
    #expect(page.objects.map { $0.object == nil } == [true, false])
    #expect(
      page.objects[0].problems.map(\.description)
        == ["Service/bad: spec.ports[0].port: must be between 1 and 65535, not 99999"])
  }

  @Test("labels named as what is read over are read")
  func passedOverNames() throws {
    let text = APITexts.service("web", 3).replacing(
      #""uid":"#, with: #""labels":{"images":"a","managedFields":"b"},"uid":"#)
    let object = try page(APITexts.list("1", [text])).get().objects[0].object
    #expect(object?.metadata.labels == ["images": "a", "managedFields": "b"])
  }

  @Test("a slice whose Service has a name of 63 characters is taken")
  func longNames() throws {
    let service = String(repeating: "a", count: 63)
    let text = """
      {"metadata":{"name":"\(service)-x7k2p","namespace":"default","resourceVersion":"1",\
      "labels":{"kubernetes.io/service-name":"\(service)"}},"addressType":"IPv4","endpoints":null,"ports":null}
      """
    let object = try page(APITexts.list(.endpointSlice, "1", [text]), .endpointSlice).get().objects[0]
    #expect(object.problems == [])
    #expect(object.object != nil)
  }

  @Test("what is no list of the kind is one line that says what it is")
  func hostile() {
    let good = APITexts.list("12", [APITexts.service("web", 3)])
    #expect(
      failure("<html>\n<body>")
        == "not the API's answer: found '<' where a JSON object should begin (line 1 of 13 bytes)")
    #expect(failure("").contains("is empty"))
    #expect(failure(APITexts.status(200, "")) == "not the API's answer: Status where a ServiceList should be")
    #expect(failure(good, .node).contains("ServiceList where a NodeList should be"))
    #expect(failure(APITexts.list("0", [])).contains("without a resourceVersion"))
    #expect(failure(APITexts.list("", [])).contains("without a resourceVersion"))
    #expect(failure(good + good).contains("something follows"))
    #expect(failure(APITexts.list("1", ["7"])).contains("a Service that is a number (7)"))
    #expect(failure(APITexts.list("1", [#"{"metadata":[]}"#])).contains("without a proper name"))
    #expect(failure(APITexts.list("1", [#"{"metadata":{"name":"../x"}}"#])).contains("without a proper name"))
    #expect(failure(#"{"kind":"ServiceList","items":{},"metadata":{"resourceVersion":"1"}}"#).contains("no list"))
    let deep = String(repeating: "[", count: 100_000)
    #expect(failure(#"{"items":"# + deep).contains("nested deeper"))
    #expect(failure(#"{"managedFields":"# + deep).contains("nested deeper"))
    #expect(failure(APITexts.list("1", ["\u{1B}[31m\n"])).contains("\n") == false)
    for end in 0..<good.utf8.count { #expect(failure(String(good.prefix(end))) != "no failure") }
    if case .success = page(String(decoding: Array(good.utf8) + [0xFF], as: UTF8.self)) { Issue.record("0xFF") }
  }

  @Test("an event's line is read, or says what is wrong")
  func events() throws {
    func event(_ text: String) -> Result<WatchEvent, WatchFailure> {
      do throws(WatchFailure) {
        return .success(try WatchEvent(Array(text.utf8), of: .service))
      } catch {
        return .failure(error)
      }
    }
    func failure(_ text: String) -> String {
      if case .failure(let failure) = event(text) { failure.description } else { "no failure" }
    }
    #expect(try event(APITexts.event("ADDED", APITexts.service("web", 3))).get().version == "3")
    #expect(try event(APITexts.bookmark(9)).get().version == "9")
    #expect(failure(APITexts.gone) == "410 Expired: too old resource version: 1 (9)")
    #expect(failure(APITexts.event("WHAT", APITexts.service("web", 3))).contains("type 'WHAT'"))
    #expect(failure(#"{"type":"ADDED"}"#).contains("without a type and an object"))
    #expect(failure(APITexts.event("ADDED", "{}")).contains("without a resourceVersion"))
    #expect(failure(APITexts.bookmark(0)).contains("without a resourceVersion"))
    let node = APITexts.service("web", 3, kind: true).replacing("Service", with: "Node")
    #expect(failure(APITexts.event("ADDED", node)).contains("Node where a Service should be"))
    #expect(failure("[1]").contains("in a line of the watch"))
  }
}
