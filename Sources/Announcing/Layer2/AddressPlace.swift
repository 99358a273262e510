import Addresses

/// An address on an interface.
struct AddressPlace: Hashable, Sendable {
  let address: IPAddress
  /// The interface's index.
  let index: CInt
}
