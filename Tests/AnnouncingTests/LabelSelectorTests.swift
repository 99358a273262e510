import Announcing
import Testing

@Suite struct LabelSelectorTests {
  typealias Requirement = LabelSelector.Requirement

  @Test(arguments: [
    (LabelSelector.Operator.isIn, ["a", "b"], [true, false, false]),
    (.notIn, ["a", "b"], [false, true, true]),
    (.exists, [], [true, true, false]),
    (.doesNotExist, [], [false, false, true]),
  ])
  func `each operator decides over a value, another value and no value`(
    _ operation: LabelSelector.Operator, _ values: [String], _ results: [Bool]
  ) throws {
    let requirement = try Requirement(key: "tier", operator: operation, values: values)
    let labels: [[String: String]] = [["tier": "a"], ["tier": "c"], ["other": "a"]]
    #expect(labels.map { LabelSelector(matchExpressions: [requirement]).matches($0) } == results)
  }

  @Test func `all of a selector must hold and an empty one matches everything`() throws {
    let selector = LabelSelector(
      matchLabels: ["app": "web", "tier": "front"],
      matchExpressions: [try Requirement(key: "old", operator: .doesNotExist)])
    #expect(selector.matches(["app": "web", "tier": "front", "more": "yes"]))
    #expect(!selector.matches(["app": "web"]))
    #expect(!selector.matches(["app": "web", "tier": "front", "old": ""]))
    #expect(LabelSelector().matches([:]))
    #expect(LabelSelector().matches(["a": "b"]))
  }

  @Test func `an expression that the API refuses is refused`() {
    #expect(throws: LabelSelector.InvalidRequirement.self) { try Requirement(key: "", operator: .exists) }
    #expect(throws: LabelSelector.InvalidRequirement.self) {
      try Requirement(key: "a", operator: .exists, values: ["b"])
    }
    let missing = #expect(throws: LabelSelector.InvalidRequirement.self) { try Requirement(key: "a", operator: .isIn) }
    #expect(missing?.description == "label expression 'a In' needs values")
    #expect(LabelSelector.Operator(rawValue: "in") == nil)
  }
}
