import Addresses
import FoundationEssentials

/// The text of the allocation store: one JSON object, a line for each Service.
///
/// ```
/// {"format":"roadstead-allocations","version":1,"services":[
/// {"addresses":[{"address":"10.101.0.50","pool":"lab"}],"name":"web","namespace":"default"}
/// ],"checksum":"af63bd4c8601b7df"}
/// ```
///
/// The checksum is FNV-1a, 64 bits, over the text before the `,"checksum"`. A file that ends early either is no JSON
/// or lacks the checksum.
enum AllocationFile {
  static let version = 1
  /// How each file starts, whatever its version.
  static let magic = #"{"format":"roadstead-allocations","version":"#

  private struct Entry: Codable {
    struct Address: Codable {
      let address: String
      let pool: String
    }
    let namespace: String
    let name: String
    let addresses: [Address]
  }

  private struct Document: Decodable {
    let format: String
    let version: Int
    let services: [Entry]
    let checksum: String
  }

  private struct Version: Decodable { let version: Int }

  /// The file's bytes.
  static func encode(_ assignments: [ServiceName: [AddressAssignment]]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes = Array((magic + #"\#(version),"services":["#).utf8)
    for (index, service) in assignments.sorted(by: { $0.key < $1.key }).enumerated() {
      let entry = Entry(
        namespace: service.key.namespace, name: service.key.name,
        addresses: service.value.map { Entry.Address(address: $0.address.description, pool: $0.pool) })
      bytes += index == 0 ? "\n".utf8 : ",\n".utf8
      bytes += try encoder.encode(entry)
    }
    bytes += "\n]".utf8
    let sum = checksum(bytes[...])
    bytes += #","checksum":"\#(sum)"}"#.utf8
    return bytes
  }

  /// What the file at `path` says, given its bytes.
  static func decode(
    _ bytes: [UInt8], path: String
  ) throws(AllocationStoreError) -> [ServiceName: [AddressAssignment]] {
    let magic = Array(magic.utf8)
    if bytes.isEmpty { throw .damaged(path: path, what: "it is empty") }
    guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .foreign(path: path) }
    let cutOff = "it ends in the middle, after \(bytes.count) bytes"
    guard bytes.count > magic.count else { throw .damaged(path: path, what: cutOff) }
    let data = Data(bytes)
    let decoder = JSONDecoder()
    if let found = try? decoder.decode(Version.self, from: data), found.version != version {
      throw .otherVersion(path: path, version: found.version)
    }
    let document: Document
    do { document = try decoder.decode(Document.self, from: data) } catch {
      let isWhole = (try? decoder.decode(Version.self, from: data)) != nil
      throw .damaged(path: path, what: isWhole ? "it is not what roadstead writes" : cutOff + ", or is not valid JSON")
    }
    // The checksum has a fixed length, so that the text it covers is found without searching.
    let tail = #","checksum":"\#(document.checksum)"}"#
    guard bytes.count > tail.utf8.count, bytes.suffix(tail.utf8.count).elementsEqual(tail.utf8),
      checksum(bytes.dropLast(tail.utf8.count)) == document.checksum
    else { throw .damaged(path: path, what: "its checksum does not fit: it was edited, or altered on disk") }

    var assignments: [ServiceName: [AddressAssignment]] = [:]
    for entry in document.services {
      let service = ServiceName(namespace: entry.namespace, name: entry.name)
      for item in entry.addresses {
        guard let address = IPAddress(item.address) else {
          throw .damaged(path: path, what: "\(service) has '\(item.address)', which is not an IP address")
        }
        assignments[service, default: []].append(AddressAssignment(address, pool: item.pool))
      }
    }
    return assignments
  }

  /// FNV-1a in 16 hexadecimal digits: against accidents, not against attackers.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> String {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
