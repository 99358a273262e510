/// One page of a list (meta/v1 ListMeta and items).
struct ObjectPage: Sendable {
  let objects: [ReceivedObject]
  /// The list's own version, from which to watch.
  let version: String
  /// The token of the next page; nil on the last.
  let continuation: String?
  /// How many more there are, as far as the server says so.
  let remaining: Int?

  /// Reads a page of objects of `kind`, one at a time: only one object's tree is in memory beside the objects.
  ///
  /// Custom resources' lists have their items before their metadata and kind, so that nothing is known of the list
  /// before its end; and a list cut short gives nothing.
  init(_ bytes: [UInt8], of kind: ObjectKind) throws(WatchFailure) {
    var objects: [ReceivedObject] = []
    var failure: WatchFailure?
    let fields: [MarkedValue.Field]
    do throws(SyntaxError) {
      fields = try JSONText.object(bytes, passingOver: ReceivedObject.passedOver) { item in
        guard failure == nil else { return }
        do throws(WatchFailure) {
          objects.append(try ReceivedObject(item, of: kind))
        } catch {
          failure = error
        }
      }
    } catch {
      throw .malformed("\(error.message) (line \(error.line) of \(bytes.count) bytes)")
    }
    let list = MarkedValue(content: .map(fields), line: 1)
    let name = list["kind"]?.string
    // What names no kind, and has items, is taken for what was asked for.
    guard name == "\(kind.rawValue)List" || name == nil && list["items"] != nil else {
      throw .malformed("\(name ?? "something without a kind") where a \(kind.rawValue)List should be")
    }
    if let failure { throw failure }
    // Go writes an empty list as null, too.
    switch list["items"]?.content {
    case .list, .null, nil: break
    default: throw .malformed("a \(kind.rawValue)List whose items are no list")
    }
    // 0 would mean any version in a watch, as old as the server likes.
    guard let version = list["metadata"]?["resourceVersion"]?.string, !version.isEmpty, version != "0" else {
      throw .malformed("a \(kind.rawValue)List without a resourceVersion")
    }
    self.objects = objects
    self.version = version
    continuation = list["metadata"]?["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    if case .integer(let count)? = list["metadata"]?["remainingItemCount"]?.content {
      remaining = count
    } else {
      remaining = nil
    }
  }
}
