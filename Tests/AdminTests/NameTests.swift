import Admin
import Testing

/// How a Service is found by what people type.
@Suite struct NameTests {
  private let state: AdminState = {
    var state = AdminState.example
    state.services += [
      AdminState.Service(namespace: "test", name: "cart"), AdminState.Service(namespace: "", name: "127.0.0.1:80"),
      AdminState.Service(namespace: "default", name: "dns"), AdminState.Service(namespace: "kube", name: "dns"),
    ]
    return state
  }()

  @Test(
    "a name is found with its namespace, alone where it is the only one, and first in default",
    arguments: [
      ("shop/cart", "shop/cart"), ("front", "shop/front"), ("dns", "default/dns"), ("127.0.0.1:80", "127.0.0.1:80"),
    ])
  func found(text: String, name: String) throws {
    #expect(try state.service(named: text).qualifiedName == name)
  }

  @Test(
    "what is not found is said with what is near",
    arguments: [
      ("cart", "there are 2 services 'cart': shop/cart, test/cart"),
      ("frnt", "there is no service 'frnt'; did you mean shop/front?"),
      ("hostname", "there is no service 'hostname'; did you mean default/hostname-svc-lb?"),
      ("default/cart", "there is no service 'default/cart'; there are: "),
      ("shop/crat", "there is no service 'shop/crat'; did you mean shop/cart"),
    ])
  func notFound(text: String, message: String) {
    #expect { try state.service(named: text) } throws: { error in
      (error as? AdminError)?.code == .name && "\(error)".hasPrefix(message)
    }
  }

  @Test("long and odd names are answered, and a list is bounded")
  func odd() {
    var many = state
    many.services = (0..<1000).map { AdminState.Service(namespace: "n", name: "service-\($0)") }
    for text in ["", "/", String(repeating: "x", count: 100_000), "\u{1B}[2J", "é"] {
      #expect { try many.service(named: text) } throws: { error in
        !"\(error)".unicodeScalars.contains("\u{1B}") && "\(error)".contains("and 992 more")
      }
    }
    let none = AdminState(version: "0", startedAt: "", readiness: .ready)
    #expect(throws: AdminError(.name, "there is no service 'a', nor any other")) { try none.service(named: "a") }
  }
}
