extension EventLoop {
  /// Makes an object on the loop, and waits for it without blocking a thread. Throws what `body` throws.
  public func make<Value: AnyObject>(
    _ body: @escaping @Sendable (EventLoop) throws -> sending Value
  ) async throws -> LoopBound<Value> {
    try await withCheckedThrowingContinuation { continuation in
      submit {
        do {
          continuation.resume(returning: LoopBound(self, taking: try body(self)))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}
