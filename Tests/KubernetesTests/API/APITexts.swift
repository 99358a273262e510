@testable import Kubernetes

/// What an API server writes.
enum APITexts {
  static func service(_ name: String, _ version: Int, port: Int = 80, kind: Bool = false) -> String {
    let head = kind ? #""kind":"Service","apiVersion":"v1","# : ""
    return """
      {\(head)"metadata":{"name":"\(name)","namespace":"default","uid":"u-\(name)","resourceVersion":"\(version)",\
      "managedFields":[{"manager":"kubectl","fieldsV1":{"f:spec":{"f:x":{"}":"]\\""}}}}]},\
      "spec":{"type":"LoadBalancer","ports":[{"port":\(port),"protocol":"TCP","futureField":1}],\
      "futureField":{"a":1}},"status":{"loadBalancer":{}}}
      """
  }

  static func list(
    _ kind: ObjectKind, _ version: String, _ items: [String], continuation: String? = nil
  ) -> String {
    let token = continuation.map { #","continue":"\#($0)","remainingItemCount":7"# } ?? ""
    return """
      {"kind":"\(kind.rawValue)List","apiVersion":"\(kind.apiVersion)",\
      "metadata":{"resourceVersion":"\(version)"\(token)},"items":[\(items.joined(separator: ","))]}
      """
  }

  static func list(_ version: String, _ items: [String], continuation: String? = nil) -> String {
    list(.service, version, items, continuation: continuation)
  }

  static func event(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }

  static func bookmark(_ version: Int, _ kind: ObjectKind = .service) -> String {
    event("BOOKMARK", #"{"kind":"\#(kind.rawValue)","metadata":{"resourceVersion":"\#(version)"}}"#)
  }

  static func status(_ code: Int, _ reason: String, _ message: String = "no") -> String {
    #"{"kind":"Status","status":"Failure","message":"\#(message)","reason":"\#(reason)","code":\#(code)}"#
  }

  static let gone = event("ERROR", status(410, "Expired", "too old resource version: 1 (9)"))
}
