import FoundationEssentials
import Models

/// A list of images to make: JSON objects, one after the other or in one array, or a table under a line of names, its
/// fields separated by commas, semicolons or tabs.
///
/// An image has `class`, `seed`, and any option of the command line that may differ from image to image, by its name
/// without the dashes. Both formats follow one set of rules, and what could be read in two ways is refused.
public struct BatchFile: Sendable {
    /// A place in the file.
    public struct Place: Equatable, Sendable {
        /// The line, from 1.
        public let line: Int
        /// The character in the line, from 1.
        public let column: Int
    }

    /// A value that is given.
    public struct Field: Equatable, Sendable {
        /// The value, as it would be written on the command line.
        public let text: String
        /// Where it begins.
        public let place: Place
    }

    /// One image that is asked for.
    public struct Entry: Equatable, Sendable {
        /// Where it begins.
        public let place: Place
        /// The values by their names.
        public let fields: [String: Field]
    }

    /// The file's path.
    public let path: String
    /// The images, in order.
    public let entries: [Entry]

    /// More bytes than the longest list has.
    private static let mostBytes = 1 << 30

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - names: the names that a value may have.
    /// - Throws: ``PipelineError`` that says what cannot be understood, with its line and column.
    public init(path: String, names: Set<String>) throws(PipelineError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .missingInput("--batch \(path): no such file")
        }
        guard let bytes = InputFile.bytes(of: path, most: Self.mostBytes) else {
            throw .inputOutput("--batch \(path): cannot be read; give a file, and check its permissions")
        }
        guard bytes.count <= Self.mostBytes else {
            throw .badData("\(path): more than \(Self.mostBytes >> 20) MB; make several files of it")
        }
        try self.init(bytes: bytes, path: path, names: names)
    }

    /// Reads the bytes of a list that messages call `path`: JSON if the first character is a brace or a bracket.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` that says what cannot be understood, with its line and column.
    public init(bytes: [UInt8], path: String, names: Set<String>) throws(PipelineError) {
        self.path = path
        do throws(ListText.Problem) {
            let text = try ListText(bytes)
            let names = ListNames(known: names)
            let first = text.bytes.first { !" \t\r\n".utf8.contains($0) }
            let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
            entries =
                isJSON ? try ObjectList.entries(of: text, names: names) : try TableList.entries(of: text, names: names)
        } catch {
            throw Self.error(path, error.place, error.reason)
        }
        guard !entries.isEmpty else { throw .badData("\(path): no image in it; give one a line") }
        guard entries.count <= WorkList.mostImages else {
            throw .badData("\(path): more than \(WorkList.mostImages) images; make several files of it")
        }
    }

    /// An error at a place of the file.
    public func error(at place: Place, _ reason: String) -> PipelineError { Self.error(path, place, reason) }

    private static func error(_ path: String, _ place: Place, _ reason: String) -> PipelineError {
        .badData("\(path):\(place.line):\(place.column): \(reason)")
    }
}

/// The names and values of a list: the rules that tables and JSON have in common.
struct ListNames {
    private let known: Set<String>

    /// - Parameter known: the names that a value may have, as on the command line, without the dashes.
    init(known: Set<String>) {
        self.known = known
    }

    /// A name as on the command line: in lower case, with dashes.
    static func canonical(_ name: String) -> String {
        name.lowercased().replacing("_", with: "-")
    }

    /// Whether a name is known, however it is written.
    func contains(_ name: String) -> Bool { known.contains(Self.canonical(name)) }

    /// A message for a name that is not known.
    func unknown(_ name: String, kind: String) -> String {
        let name = name.onOneLine
        let key = Self.canonical(name)
        let nearest =
            key.utf8.count > 64
            ? nil : known.sorted().min { key.edits(to: $0) < key.edits(to: $1) }
        let isNear = nearest.map { key.edits(to: $0) <= max(2, key.count / 3) } == true
        let list = ["class", "seed"] + known.subtracting(["class", "seed"]).sorted()
        let hint = isNear ? "did you mean '\(nearest ?? "")'?" : "there are \(list.joined(separator: ", "))"
        return "unknown \(kind) '\(name.prefix(64))'; \(hint)"
    }

    /// A value at its place.
    ///
    /// - Throws: ``ListText/Problem`` when it holds a control character.
    static func field(_ text: String, of name: String, at place: BatchFile.Place) throws(ListText.Problem)
        -> BatchFile.Field
    {
        if let control = text.unprintable {
            throw ListText.Problem(
                reason: "\(name) has the control character \(control.codePoint); remove it", place: place)
        }
        return BatchFile.Field(text: text, place: place)
    }
}

extension BatchFile.Field {
    /// The value, with a whole number written as one: `5.0` and `5e0` are 5. What a spreadsheet may have rounded, such as
    /// `4.29E+09`, is not changed, and so is not a whole number.
    public var plainNumber: String {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let bytes = Array(text.utf8)
        let start = bytes.first == UInt8(ascii: "-") ? 1 : 0
        let whole = bytes[start...].prefix { digits.contains($0) }
        let rest = bytes[whole.endIndex...]
        guard !whole.isEmpty, let mark = rest.first else { return text }
        let head = String(decoding: bytes[..<whole.endIndex], as: UTF8.self)
        if mark == UInt8(ascii: ".") {
            return rest.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") } ? head : text
        }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return text }
        let exponent = rest.dropFirst(rest.dropFirst().first == UInt8(ascii: "+") ? 2 : 1)
        guard exponent.count <= 2, exponent.allSatisfy({ digits.contains($0) }),
            let zeros = Int(String(decoding: exponent, as: UTF8.self)), zeros <= 18
        else { return text }
        return head + String(repeating: "0", count: zeros)
    }
}
