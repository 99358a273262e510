/// A choice of objects by their labels (meta/v1). An empty one chooses all.
public struct LabelSelector: Hashable, Sendable {
  public var matchLabels: [String: String]
  public var matchExpressions: [Requirement]

  public init(matchLabels: [String: String] = [:], matchExpressions: [Requirement] = []) {
    self.matchLabels = matchLabels
    self.matchExpressions = matchExpressions
  }

  /// One of `matchExpressions`.
  public struct Requirement: Hashable, Sendable {
    public var key: String
    public var `operator`: Operator
    public var values: [String]

    public init(key: String, operator: Operator, values: [String] = []) {
      self.key = key
      self.operator = `operator`
      self.values = values
    }
  }

  /// How a requirement compares.
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    case `in` = "In"
    case notIn = "NotIn"
    case exists = "Exists"
    case doesNotExist = "DoesNotExist"
  }

  /// Whether all of the selector's requirements hold.
  public func matches(_ labels: [String: String]) -> Bool {
    matchLabels.allSatisfy { labels[$0.key] == $0.value }
      && matchExpressions.allSatisfy { requirement in
        let value = labels[requirement.key]
        switch requirement.operator {
        case .in: return value.map { requirement.values.contains($0) } ?? false
        case .notIn: return value.map { !requirement.values.contains($0) } ?? true
        case .exists: return value != nil
        case .doesNotExist: return value == nil
        }
      }
  }
}

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
        let values = one.strings("values")
        switch comparison {
        case .in, .notIn:
          if values.isEmpty { one.error("values", "must not be empty with operator \(comparison.rawValue)") }
        case .exists, .doesNotExist:
          if !values.isEmpty { one.error("values", "must be empty with operator \(comparison.rawValue)") }
        }
        return Requirement(key: key, operator: comparison, values: values)
      })
  }
}
