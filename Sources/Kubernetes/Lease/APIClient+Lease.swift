extension APIClient {
  /// Sends a request of the election, and says what came of it.
  func answer(
    to request: LeaseElection.Request, _ settings: LeaseSettings
  ) async throws(APIError) -> LeaseElection.Event {
    switch request {
    case .get:
      let answer: [UInt8]
      do throws(APIError) {
        answer = try await get(settings.path)
      } catch {
        guard error.isNotFound else { throw error }
        return .read(nil)
      }
      return .read(try LeaseRecord(json: answer))
    case .create(let record):
      let object = record.object(namespace: settings.namespace, name: settings.name)
      return .written(try LeaseRecord(json: try await create(settings.collectionPath, object)))
    case .update(let record):
      return .written(try LeaseRecord(json: try await patch(settings.path, record.mergePatch)))
    }
  }
}

extension LeaseElection.Request {
  /// As RBAC calls it.
  var verb: String {
    switch self {
    case .get: "get"
    case .create: "create"
    case .update: "patch"
    }
  }
}
