import Announcing

/// The reader's half of the allocator's ``LabelSelector``.
extension LabelSelector {
  static let fieldNames = FieldNames("matchExpressions matchLabels")
  private static let requirementNames = FieldNames("key operator values")

  init(_ fields: FieldReader) {
    self.init(
      matchLabels: fields.stringMap("matchLabels"),
      matchExpressions: fields.maps("matchExpressions", Self.requirementNames) { one in
        guard let key = one.string("key", required: true),
          let comparison = one.choice("operator", Operator.self, required: true)
        else { return nil }
        do throws(InvalidRequirement) {
          return try Requirement(key: key, operator: comparison, values: one.strings("values"))
        } catch {
          one.error("values", error.description)
          return nil
        }
      })
  }
}
