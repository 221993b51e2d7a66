import FoundationEssentials

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

    /// Reads the bytes of the file at `path`: JSON if the first character is a brace or a bracket.
    init(bytes: [UInt8], path: String, names: Set<String>) throws(PipelineError) {
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

    /// The error that tells what is wrong at a place of the file.
    public func error(at place: Place, _ reason: String) -> PipelineError { Self.error(path, place, reason) }

    private static func error(_ path: String, _ place: Place, _ reason: String) -> PipelineError {
        .badData("\(path):\(place.line):\(place.column): \(reason)")
    }
}
