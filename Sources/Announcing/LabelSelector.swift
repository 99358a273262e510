/// Which labels are meant: `matchLabels` and `matchExpressions`, all of which must hold.
///
/// An empty selector matches everything. Source: the Kubernetes API, meta/v1 LabelSelector.
public struct LabelSelector: Hashable, Sendable {
  /// How a ``Requirement`` compares; raw values are the API's words.
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    /// The label is there and has one of the values.
    case isIn = "In"
    /// The label is absent or has none of the values.
    case notIn = "NotIn"
    /// The label is there, whatever its value.
    case exists = "Exists"
    /// The label is absent.
    case doesNotExist = "DoesNotExist"
  }

  /// One of `matchExpressions`.
  public struct Requirement: Hashable, Sendable {
    public let key: String
    public let `operator`: Operator
    /// At least one for `In` and `NotIn`, none for the others.
    public let values: [String]

    /// Throws where the API server would refuse the expression.
    public init(key: String, operator: Operator, values: [String] = []) throws(InvalidRequirement) {
      guard !key.isEmpty else { throw .keyMissing }
      switch `operator` {
      case .isIn, .notIn: guard !values.isEmpty else { throw .valuesMissing(key, `operator`) }
      case .exists, .doesNotExist: guard values.isEmpty else { throw .valuesUnwanted(key, `operator`) }
      }
      self.key = key
      self.operator = `operator`
      self.values = values
    }

    /// Whether `labels` meet this requirement.
    public func matches(_ labels: [String: String]) -> Bool {
      switch `operator` {
      case .isIn: labels[key].map(values.contains) ?? false
      case .notIn: !(labels[key].map(values.contains) ?? false)
      case .exists: labels[key] != nil
      case .doesNotExist: labels[key] == nil
      }
    }
  }

  /// Why an expression is refused.
  public enum InvalidRequirement: Error, Hashable, Sendable, CustomStringConvertible {
    case keyMissing
    case valuesMissing(String, Operator)
    case valuesUnwanted(String, Operator)

    public var description: String {
      switch self {
      case .keyMissing: "a label expression has no key"
      case .valuesMissing(let key, let `operator`): "label expression '\(key) \(`operator`.rawValue)' needs values"
      case .valuesUnwanted(let key, let `operator`): "label expression '\(key) \(`operator`.rawValue)' takes no values"
      }
    }
  }

  public var matchLabels: [String: String]
  public var matchExpressions: [Requirement]

  public init(matchLabels: [String: String] = [:], matchExpressions: [Requirement] = []) {
    self.matchLabels = matchLabels
    self.matchExpressions = matchExpressions
  }

  /// Whether `labels` meet all of the selector.
  public func matches(_ labels: [String: String]) -> Bool {
    matchLabels.allSatisfy { labels[$0.key] == $0.value } && matchExpressions.allSatisfy { $0.matches(labels) }
  }
}
