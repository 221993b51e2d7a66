import FoundationEssentials

/// A list of images to make, one a line: JSON objects, or CSV under a line of names.
///
/// A line says `class` and `seed`, and any option of the command line that may differ from image to image, by its name
/// without the dashes. Which options there are, this type does not know.
public struct BatchFile: Sendable {
    /// One image that is asked for.
    public struct Entry: Equatable, Sendable {
        /// The line in the file, from 1.
        public let line: Int
        /// The values by their names, as they would be written on the command line.
        public let fields: [String: String]
    }

    /// The file's path.
    public let path: String
    /// The images, in order.
    public let entries: [Entry]

    /// Reads a file.
    ///
    /// - Throws: ``PipelineError`` that says which line cannot be understood.
    public init(path: String) throws(PipelineError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .missingInput("--batch \(path): no such file")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw .inputOutput("--batch \(path): cannot be read; give a file, and check its permissions")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw .badData("\(path): not UTF-8 text; give JSON lines or CSV")
        }
        try self.init(text: text, path: path)
    }

    /// Reads the text of the file at `path`: JSON lines if the first line that is not empty begins with a brace.
    init(text: String, path: String) throws(PipelineError) {
        self.path = path
        let text = text.first == "\u{FEFF}" ? text.dropFirst() : text[...]
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated().map { (number: $0.offset + 1, text: $0.element) }
            .filter { !$0.text.allSatisfy(\.isWhitespace) }
        guard let first = lines.first else { throw .badData("\(path): no image in it; give one a line") }
        entries =
            first.text.drop(while: \.isWhitespace).first == "{"
            ? try Self.readJSON(lines, path: path) : try Self.readCSV(lines, path: path)
        guard !entries.isEmpty else { throw .badData("\(path): names of columns only; give an image a line") }
        guard entries.count <= WorkList.mostImages else {
            throw .badData("\(path): more than \(WorkList.mostImages) images; make several files of it")
        }
    }

    private typealias Line = (number: Int, text: Substring)

    private static func readJSON(_ lines: [Line], path: String) throws(PipelineError) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count)
        for line in lines {
            let values: [String: Value]
            do {
                values = try JSONDecoder().decode([String: Value].self, from: Data(line.text.utf8))
            } catch {
                throw .badData(
                    "\(path):\(line.number): not a JSON object of numbers and texts; write {\"class\": 3, \"seed\": 7}")
            }
            var fields: [String: String] = [:]
            for (name, value) in values {
                guard fields.updateValue(value.text, forKey: name.replacing("_", with: "-")) == nil else {
                    throw .badData("\(path):\(line.number): '\(name)' is given twice")
                }
            }
            entries.append(Entry(line: line.number, fields: fields))
        }
        return entries
    }

    /// A value of a JSON object, as it would be written on the command line.
    private struct Value: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let whole = try? container.decode(Int.self) {
                text = "\(whole)"
            } else if let number = try? container.decode(Double.self) {
                text = "\(number)"
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    private static func readCSV(_ lines: [Line], path: String) throws(PipelineError) -> [Entry] {
        guard let header = lines.first else { return [] }
        let names = try cells(of: header, path: path).map { $0.replacing("_", with: "-") }
        guard Set(names).count == names.count, !names.contains("") else {
            throw .badData("\(path):\(header.number): a column has no name, or that of another")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count)
        for line in lines.dropFirst() {
            let cells = try cells(of: line, path: path)
            guard cells.count == names.count else {
                throw .badData("\(path):\(line.number): \(cells.count) fields under \(names.count) names")
            }
            // An empty field is one that is not given.
            let fields = zip(names, cells).filter { !$0.1.isEmpty }
            entries.append(Entry(line: line.number, fields: Dictionary(fields) { first, _ in first }))
        }
        return entries
    }

    /// The fields of a line, by RFC 4180 but for line breaks within quotes: no option has any.
    private static func cells(of line: Line, path: String) throws(PipelineError) -> [String] {
        var cells: [String] = []
        var rest = line.text
        while true {
            rest = rest.drop(while: \.isWhitespace)
            var cell = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while true {
                    guard let quote = rest.firstIndex(of: "\"") else {
                        throw .badData("\(path):\(line.number): a quote is not closed")
                    }
                    cell += rest[..<quote]
                    rest = rest[rest.index(after: quote)...]
                    guard rest.first == "\"" else { break }
                    cell += "\""
                    rest = rest.dropFirst()
                }
                rest = rest.drop(while: \.isWhitespace)
                guard rest.isEmpty || rest.first == "," else {
                    throw .badData("\(path):\(line.number): text after a closing quote")
                }
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                cell = String(rest[..<end])
                while cell.last?.isWhitespace == true { cell.removeLast() }
                rest = rest[end...]
            }
            cells.append(cell)
            guard rest.first == "," else { return cells }
            rest = rest.dropFirst()
        }
    }
}
