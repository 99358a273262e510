extension LeaseSettings {
  var collectionPath: String { "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases" }
  var path: String { "\(collectionPath)/\(name)" }
  /// Of a watch on the one object; the server ends it after 5 minutes.
  var watchPath: String { "\(collectionPath)?watch=true&fieldSelector=metadata.name%3D\(name)&timeoutSeconds=300" }

  /// What an error of a request means, for people; nil for one that belongs to elections.
  func problem(_ error: APIError, with verb: String) -> String? {
    let lease = "the Lease \(namespace)/\(name)"
    switch error.code {
    case 409: return nil
    case 403:
      return
        "the API server does not allow to \(verb) \(lease): a Role in namespace \(namespace) must allow get, watch, "
        + "create and patch of leases in coordination.k8s.io (\(error))"
    case 401: return "the API server does not accept the credentials to \(verb) \(lease) (\(error))"
    case 404 where verb == "create": return "\(lease) cannot be created: is there a namespace \(namespace)? (\(error))"
    case 404: return nil
    default: return "cannot \(verb) \(lease): \(error)"
    }
  }
}
