/// A table of a report: named columns, some of them under a common heading, and rows in sections.
public struct HTMLTable: Sendable {
    /// Which of a column's numbers is the best.
    public enum Best: Sendable {
        case greatest, least
    }

    public struct Column: Sendable {
        public var title: String

        /// The heading that this column shares with its neighbours of the same group.
        public var group: String?

        /// Which number of each section is printed bold; nil for none.
        public var best: Best?

        /// Whether ``HTMLTable/plainText`` leaves the column out: a page scrolls, a terminal is narrow.
        public var isOnPageOnly: Bool

        public init(_ title: String, group: String? = nil, best: Best? = nil, isOnPageOnly: Bool = false) {
            self.title = title
            self.group = group
            self.best = best
            self.isOnPageOnly = isOnPageOnly
        }
    }

    public enum Cell: Equatable, Sendable {
        case text(String)

        /// A number, its decimals, by how much it may be off (0 for a number that is exact, or not known to be off), and
        /// what follows it, such as a unit.
        case number(Double, digits: Int, margin: Double = 0, suffix: String = "")

        /// A number, the ends of the interval that the true one lies in, and the decimals of all three.
        case estimate(Double, low: Double, high: Double, digits: Int)

        case empty
    }

    public struct Row: Sendable {
        /// One cell per column; those that are missing at the end stay empty.
        public var cells: [Cell]

        /// Whether the row is what the others are compared with, and so takes no part in being best.
        public var isReference: Bool

        public init(_ cells: [Cell], isReference: Bool = false) {
            self.cells = cells
            self.isReference = isReference
        }
    }

    /// Rows that are compared with each other, such as those of one budget.
    public struct Section: Sendable {
        public var title: String?
        public var rows: [Row]

        public init(title: String? = nil, rows: [Row]) {
            self.title = title
            self.rows = rows
        }
    }

    public var caption: String
    public var columns: [Column]
    public var sections: [Section]

    public init(caption: String = "", columns: [Column], sections: [Section]) {
        self.caption = caption
        self.columns = columns
        self.sections = sections
    }

    func write(to page: inout Markup) {
        page.element("div", ["class": "scroll"]) { page in
            page.element("table") { page in
                if !caption.isEmpty { page.element("caption", text: caption) }
                page.element("thead") { writeHead(to: &$0) }
                for section in sections { write(section, to: &page) }
            }
        }
    }

    private func writeHead(to page: inout Markup) {
        if columns.contains(where: { $0.group != nil }) {
            page.element("tr") { page in
                for run in groups {
                    let span: Markup.Attributes = ["colspan": "\(run.count)", "scope": "colgroup", "class": "group"]
                    page.element(
                        "th", columns[run.lowerBound].group == nil ? ["colspan": "\(run.count)"] : span,
                        text: columns[run.lowerBound].group ?? "")
                }
            }
        }
        page.element("tr") { page in
            for (index, column) in columns.enumerated() {
                var attributes: Markup.Attributes = ["scope": "col"]
                if isNumeric(index) { attributes.append("class", "number") }
                page.element("th", attributes, text: column.title)
            }
        }
    }

    /// The stretches of neighbours with one group.
    var groups: [Range<Int>] {
        columns.indices.reduce(into: []) { runs, index in
            if let last = runs.last, columns[last.lowerBound].group == columns[index].group {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
    }

    private func write(_ section: Section, to page: inout Markup) {
        let best = columns.indices.map { bestText(ofColumn: $0, in: section) }
        page.element("tbody") { page in
            if let title = section.title {
                page.element("tr") {
                    $0.element(
                        "th", ["colspan": "\(columns.count)", "scope": "rowgroup", "class": "section"], text: title)
                }
            }
            for row in section.rows {
                page.element("tr", row.isReference ? ["class": "reference"] : [:]) { page in
                    for column in columns.indices {
                        let cell = column < row.cells.count ? row.cells[column] : .empty
                        write(cell, isBest: !row.isReference && cell.ranked == best[column], to: &page)
                    }
                }
            }
        }
    }

    private func write(_ cell: Cell, isBest: Bool, to page: inout Markup) {
        switch cell {
        case .text(let text): page.element("td", text: text)
        case .number, .estimate:
            page.element("td", ["class": isBest ? "number best" : "number"], text: cell.text)
        case .empty: page.element("td", text: "")
        }
    }

    /// How the best of a section's numbers is printed; whatever is printed alike is as good.
    private func bestText(ofColumn column: Int, in section: Section) -> String? {
        guard let best = columns[column].best else { return nil }
        let candidates = section.rows.compactMap { row -> (value: Double, text: String)? in
            guard !row.isReference, column < row.cells.count, let value = row.cells[column].value, !value.isNaN else {
                return nil
            }
            return (value: value, text: row.cells[column].ranked)
        }
        // Alone, nothing is better than anything.
        guard candidates.count > 1 else { return nil }
        return switch best {
        case .greatest: candidates.max { $0.value < $1.value }?.text
        case .least: candidates.min { $0.value < $1.value }?.text
        }
    }

    func isNumeric(_ column: Int) -> Bool {
        sections.contains { section in
            section.rows.contains { row in
                column < row.cells.count && row.cells[column].value != nil
            }
        }
    }
}

extension HTMLTable.Cell {
    /// The cell's number; nil for one that has none.
    var value: Double? {
        switch self {
        case .number(let value, _, _, _), .estimate(let value, _, _, _): value
        case .text, .empty: nil
        }
    }

    /// What the cell shows.
    var text: String {
        switch self {
        case .text(let text): text
        case .number(let value, let digits, let margin, let suffix) where !value.isNaN:
            DecimalText.fixed(value, digits: digits)
                + (margin > 0 ? " ±" + DecimalText.fixed(margin, digits: digits) : "") + suffix
        case .estimate(let value, let low, let high, let digits) where !value.isNaN:
            DecimalText.fixed(value, digits: digits) + " " + DecimalText.fixed(low, digits: digits) + "–"
                + DecimalText.fixed(high, digits: digits)
        case .number, .estimate: DecimalText.missing
        case .empty: ""
        }
    }

    /// What says whether numbers are as good as each other: what is shown, without how much it may be off.
    var ranked: String {
        switch self {
        case .number(let value, let digits, _, let suffix): Self.number(value, digits: digits, suffix: suffix).text
        case .estimate(let value, _, _, let digits): Self.number(value, digits: digits).text
        case .text, .empty: text
        }
    }
}

extension HTMLTable {
    /// The table for a terminal: columns two spaces apart, numbers to the right, every section under its title, without
    /// the columns that are on pages only. Ends with a line break.
    ///
    /// A text that ends its row early runs on to the right and widens no column.
    public var plainText: String {
        var table = self
        table.columns = columns.filter { !$0.isOnPageOnly }
        for section in sections.indices {
            for row in sections[section].rows.indices {
                table.sections[section].rows[row].cells = zip(columns, sections[section].rows[row].cells)
                    .filter { column, _ in !column.isOnPageOnly }.map { $1 }
            }
        }
        return table.wholePlainText
    }

    private var wholePlainText: String {
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
