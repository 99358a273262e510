/// Rows of text in aligned columns, as kubectl(1) prints them.
struct TextTable {
  private var rows: [Row]

  /// A row of cells, and lines below it that take the whole width.
  private struct Row {
    var cells: [String]
    var notes: [String] = []
  }

  init(_ header: [String]) { rows = [Row(cells: header)] }

  mutating func add(_ cells: [String], notes: [String] = []) { rows.append(Row(cells: cells, notes: notes)) }

  /// Columns two spaces apart, no spaces at the end of a line, notes indented by two; a newline after each line.
  var text: String {
    let columns = rows.map(\.cells.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.cells.count ? $0.cells[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.cells.enumerated() {
        line += cell
        if column + 1 < row.cells.count {
          line += String(repeating: " ", count: widths[column] - cell.count + 2)
        }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n" + row.notes.map { "  \($0)\n" }.joined()
    }.joined()
  }
}
