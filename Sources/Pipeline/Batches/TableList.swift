import Models

/// Lists in tables: a line of names, then a line for each image, the fields separated by commas, semicolons or tabs.
///
/// Fields follow RFC 4180, but for line breaks within quotes: no option has any.
struct TableList {
    private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]

    private struct Cell {
        let text: String
        let place: BatchFile.Place
    }

    private var text: ListText
    private let separator: UInt8
    private let names: ListNames

    /// Reads all lines of a text.
    static func entries(of text: ListText, names: ListNames) throws(ListText.Problem) -> [BatchFile.Entry] {
        var lines = text.lines[...]
        guard let first = lines.first else { return [] }
        let declared = Self.declaredSeparator(text.bytes[first])
        if declared != nil { lines.removeFirst() }
        guard let header = lines.popFirst() else { return [] }
        let separator = declared ?? Self.separator(of: header, in: text, names: names)
        var table = TableList(text: text, separator: separator, names: names)
        let columns = try table.columns(header)
        guard !lines.isEmpty else {
            throw ListText.Problem(
                reason: "names of columns only; give an image a line", place: table.text.place(of: header.lowerBound))
        }
        var entries: [BatchFile.Entry] = []
        entries.reserveCapacity(lines.count)
        for line in lines { entries.append(try table.entry(line, columns: columns)) }
        return entries
    }

    /// The separator that a first line `sep=;` says, as spreadsheets read it.
    private static func declaredSeparator(_ line: ArraySlice<UInt8>) -> UInt8? {
        let prefix = Array("sep=".utf8)
        guard line.starts(with: prefix), line.count == prefix.count + 1, let last = line.last else { return nil }
        return separators.contains(last) ? last : nil
    }

    /// The separator that makes known names of the first line, else the one that makes most fields of it.
    private static func separator(of header: Range<Int>, in text: ListText, names: ListNames) -> UInt8 {
        let readings = separators.map { separator in
            var table = TableList(text: text, separator: separator, names: names)
            let cells = (try? table.cells(of: header)) ?? []
            let isKnown = !cells.isEmpty && cells.allSatisfy { $0.text.isEmpty || names.contains($0.text) }
            return (separator: separator, cells: cells.count, isKnown: isKnown)
        }
        let most = readings.reduce(readings[0]) { $1.cells > $0.cells ? $1 : $0 }
        return (readings.first(where: \.isKnown) ?? most).separator
    }

    /// The names of the columns; empty ones at the end of the line are none.
    private mutating func columns(_ header: Range<Int>) throws(ListText.Problem) -> [String] {
        let cells = try cells(of: header)
        let last = cells.lastIndex { !$0.text.isEmpty } ?? 0
        var columns: [String] = []
        for cell in cells[...last] {
            guard !cell.text.isEmpty else {
                throw ListText.Problem(
                    reason: "column \(columns.count + 1) has no name; give it one", place: cell.place)
            }
            guard names.contains(cell.text) else {
                let reason = names.unknown(cell.text, kind: "column")
                throw ListText.Problem(
                    reason: cells.count == 1 ? "\(reason); a comma, a semicolon or a tab separates columns" : reason,
                    place: cell.place)
            }
            let name = ListNames.canonical(cell.text)
            guard !columns.contains(name) else {
                throw ListText.Problem(reason: "column \(name) is given twice; keep one", place: cell.place)
            }
            columns.append(name)
        }
        return columns
    }

    private mutating func entry(_ line: Range<Int>, columns: [String]) throws(ListText.Problem) -> BatchFile.Entry {
        let place = text.place(of: line.lowerBound)
        let cells = try cells(of: line)
        let surplus = cells.dropFirst(columns.count).first { !$0.text.isEmpty }
        guard cells.count >= columns.count, surplus == nil else {
            throw ListText.Problem(
                reason: "\(cells.count) \(cells.count == 1 ? "field" : "fields") under \(columns.count) "
                    + "\(columns.count == 1 ? "name" : "names"); separate fields by \(separatorName), and quote a text that has one",
                place: surplus?.place ?? text.place(of: line.upperBound))
        }
        var fields: [String: BatchFile.Field] = [:]
        // An empty field is one that is not given.
        for (name, cell) in zip(columns, cells) where !cell.text.isEmpty {
            fields[name] = try ListNames.field(cell.text, of: name, at: cell.place)
        }
        guard !fields.isEmpty else {
            throw ListText.Problem(reason: "a line of empty fields; remove it, or give them values", place: place)
        }
        return BatchFile.Entry(place: place, fields: fields)
    }

    private var separatorName: String {
        switch separator {
        case UInt8(ascii: ";"): "semicolons"
        case UInt8(ascii: "\t"): "tabs"
        default: "commas"
        }
    }

    /// The fields of a line.
    private mutating func cells(of line: Range<Int>) throws(ListText.Problem) -> [Cell] {
        var cells: [Cell] = []
        var offset = line.lowerBound
        while true {
            skipSpaces(&offset, to: line.upperBound)
            let place = text.place(of: offset)
            var content: [UInt8] = []
            if offset < line.upperBound, text.bytes[offset] == UInt8(ascii: "\"") {
                content = try quoted(&offset, to: line.upperBound)
            } else {
                let end = text.bytes[offset..<line.upperBound].firstIndex(of: separator) ?? line.upperBound
                content = Array(text.bytes[offset..<end])
                while let last = content.last, isSpace(last) { content.removeLast() }
                offset = end
            }
            cells.append(Cell(text: String(decoding: content, as: UTF8.self), place: place))
            guard offset < line.upperBound else { return cells }
            offset += 1
        }
    }

    /// The text in quotes that begins at `offset`; leaves `offset` at the separator after it, or the end of the line.
    private mutating func quoted(_ offset: inout Int, to end: Int) throws(ListText.Problem) -> [UInt8] {
        let start = offset
        var content: [UInt8] = []
        offset += 1
        while true {
            guard let quote = text.bytes[offset..<end].firstIndex(of: UInt8(ascii: "\"")) else {
                throw ListText.Problem(reason: "a quote is not closed on its line", place: text.place(of: start))
            }
            content += text.bytes[offset..<quote]
            offset = quote + 1
            guard offset < end, text.bytes[offset] == UInt8(ascii: "\"") else { break }
            content.append(UInt8(ascii: "\""))
            offset += 1
        }
        skipSpaces(&offset, to: end)
        guard offset == end || text.bytes[offset] == separator else {
            throw ListText.Problem(
                reason: "text after a closing quote; separate fields by \(separatorName)", place: text.place(of: offset)
            )
        }
        return content
    }

    private func skipSpaces(_ offset: inout Int, to end: Int) {
        while offset < end, isSpace(text.bytes[offset]) { offset += 1 }
    }

    /// Whether a byte is white space around a field.
    private func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") && separator != byte
    }
}
