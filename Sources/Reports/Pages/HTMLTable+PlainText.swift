extension HTMLTable {
    /// The table for a terminal: columns of equal width two spaces apart, numbers to the right, every section under its
    /// title. Ends with a line break.
    ///
    /// A text that ends its row early runs on to the right and widens no column.
    public var plainText: String {
        let heads = columns.map(\.title)
        let bodies = sections.flatMap(\.rows)
        var widths = heads.map(\.count)
        for row in bodies {
            for (index, cell) in row.cells.prefix(columns.count).enumerated() where !runsOn(row, at: index) {
                widths[index] = max(widths[index], cell.text.count)
            }
        }
        for run in groups {
            guard let group = columns[run.lowerBound].group else { continue }
            let width = run.map { widths[$0] + 2 }.reduce(-2, +)
            widths[run.upperBound - 1] += max(0, group.count - width)
        }
        var lines = caption.isEmpty ? [] : [caption]
        if columns.contains(where: { $0.group != nil }) {
            lines.append(
                line(
                    groups.map { run in (columns[run.lowerBound].group ?? "", run.map { widths[$0] + 2 }.reduce(-2, +))
                    })
            )
        }
        lines.append(line(columns.indices.map { (aligned(heads[$0], in: $0, widths), widths[$0]) }))
        for section in sections {
            if let title = section.title { lines.append(title) }
            for row in section.rows {
                lines.append(
                    line(
                        row.cells.prefix(columns.count).enumerated().map { index, cell in
                            (runsOn(row, at: index) ? cell.text : aligned(cell.text, in: index, widths), widths[index])
                        }))
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Whether the row ends with this cell, before the last column and with a text.
    private func runsOn(_ row: Row, at index: Int) -> Bool {
        guard index == row.cells.count - 1, index < columns.count - 1, case .text = row.cells[index] else {
            return false
        }
        return true
    }

    private func aligned(_ text: String, in column: Int, _ widths: [Int]) -> String {
        isNumeric(column) ? String(repeating: " ", count: max(0, widths[column] - text.count)) + text : text
    }

    /// Joins cells, each filled up to its width but the last.
    private func line(_ cells: [(text: String, width: Int)]) -> String {
        var line = cells.map { $0.text + String(repeating: " ", count: max(0, $0.width - $0.text.count)) }
            .joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}
