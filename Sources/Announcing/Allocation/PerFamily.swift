import Addresses

/// One value for each address family.
struct PerFamily<Value> {
  private var v4: Value
  private var v6: Value

  init(_ value: (IPAddress.Family) -> Value) {
    v4 = value(.v4)
    v6 = value(.v6)
  }

  subscript(family: IPAddress.Family) -> Value {
    get { family == .v4 ? v4 : v6 }
    // In place: a getter and setter would copy the whole array behind the value.
    _modify {
      switch family {
      case .v4: yield &v4
      case .v6: yield &v6
      }
    }
  }
}

extension PerFamily: Equatable where Value: Equatable {}

extension PerFamily: Sendable where Value: Sendable {}
