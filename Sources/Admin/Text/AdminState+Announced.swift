extension AdminState.Service {
  /// Where its addresses are announced, as `eth0`; with the address where it differs between them.
  var announcedText: String {
    let each = addresses.map { ($0.address, $0.announcedText.isEmpty ? "-" : $0.announcedText) }
    guard let first = each.first?.1 else { return "" }
    return each.allSatisfy { $0.1 == first } ? first : each.map { "\($0.0) \($0.1)" }.joined(separator: "; ")
  }
}

extension AdminState.Address {
  /// The interfaces, or `no: ` and why, as short as it can be; empty where nothing is known.
  var announcedText: String {
    let announced = announcements.map { $0.filter(\.isAnnounced).compactMap(\.interface) } ?? []
    if !announced.isEmpty {
      let rest = (announcements ?? []).filter { !$0.isAnnounced && $0.state != "withdrawn" }.map(\.text)
      let remarks = [stillAnnounced].compactMap { $0 } + rest
      return announced.joined(separator: ",") + (remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))")
    }
    return announcedBy ?? notAnnounced.map { "no: \($0)" } ?? ""
  }

  /// A line for each interface, and for each warning.
  var announcementLines: [String] {
    // Where nothing was tried and it is on no other interface, the address's own line has the reason.
    (announcements ?? []).filter { $0.wasTried || $0.state != "waiting" || announcedBy != nil }.flatMap { one in
      [one.text + (one.wasTried ? ": \(one.counts)" : "")] + one.warnings.map { "warning: \($0)" }
    } + [remark, stillAnnounced].compactMap(\.self)
  }
}

extension AdminState.Announcement {
  /// `eth0 announced since 2026-01-31T12:00:00Z`, `eth1 not announced (interface eth1 is down)`.
  fileprivate var text: String {
    let parts = [
      interface, state == "waiting" ? "not announced" : state, since.map { "since \($0)" }, reason.map { "(\($0))" },
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }

  /// Whether anything was done for it there.
  fileprivate var wasTried: Bool { isAnnounced || probes > 0 || gratuitous > 0 || conflicts > 0 || renewals > 0 }

  fileprivate var counts: String {
    let rival = rival.map { ", the last by \($0)" } ?? ""
    return "\(Figures.count(probes, "probe")), \(gratuitous) gratuitous, "
      + "\(Figures.count(conflicts, "conflict"))\(rival), \(Figures.count(renewals, "renewal"))"
  }
}
