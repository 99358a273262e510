/// The fields that the API gives a type, used here or not. What is not among them is reported as unknown.
struct FieldNames: Sendable {
  /// Sorted as written.
  let names: [String]
  private let known: Set<String>

  /// From names separated by spaces.
  init(_ text: String) {
    names = text.split(separator: " ").map(String.init)
    known = Set(names)
  }

  func contains(_ name: String) -> Bool { known.contains(name) }

  /// What every object has at its top.
  static let object = FieldNames("apiVersion kind metadata spec status")
}
