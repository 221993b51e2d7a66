import FoundationEssentials
import Models

/// What a batch's manifest says of one image, on one line.
public struct ManifestLine: Codable, Equatable, Sendable {
    /// More evaluations than any image takes, and few enough that those of a whole batch can be added.
    private static let mostEvaluations = 1_000_000_000
    /// More seconds than any image takes: thirty years.
    private static let mostSeconds = 1e9
    /// More bytes than any line has: a path and a class's names are a few thousand.
    private static let mostBytes = 1 << 16

    /// The image's place in the whole list.
    public let index: Int
    /// Its path, seen from the manifest's directory.
    public let file: String
    /// The name of its class, or its prompt.
    public let `class`: String
    /// The number of its class; nil for what is told otherwise.
    public let classID: Int?
    /// Its seed.
    public let seed: UInt32
    /// The evaluations that it takes.
    public let evaluations: Int
    /// The seconds that it took; nil where nobody saw it being made, as when a process is killed right after.
    public var seconds: Double?
    /// The SHA-256 of the file's bytes.
    public var sha256: String

    /// Joins the parts; what is known only when the image is there comes later.
    public init(index: Int, file: String, class name: String, item: SampleItem, evaluations: Int) {
        self.index = index
        self.file = file
        self.class = name
        classID = item.classID
        seed = item.seed
        self.evaluations = evaluations
        sha256 = ""
    }

    /// What the image was told.
    package var condition: Condition { classID.map(Condition.label) ?? .prompt(self.class) }

    /// The line of a file with these bytes.
    public func of(_ bytes: [UInt8], seconds: Double?) -> ManifestLine {
        var line = self
        line.seconds = seconds
        line.sha256 = SHA256.hexadecimal(bytes)
        return line
    }

    /// Whether `other` is about the same image at the same place.
    func isAboutSame(as other: ManifestLine) -> Bool {
        index == other.index && file == other.file && condition == other.condition && seed == other.seed
            && evaluations == other.evaluations
    }

    /// Reads a line; nil for one that was cut short, or cannot be true.
    init?(_ text: ArraySlice<UInt8>) {
        guard text.count <= Self.mostBytes, let line = try? JSONDecoder().decode(ManifestLine.self, from: Data(text)),
            line.sha256.utf8.count == 64, line.sha256.allSatisfy(\.isHexDigit), line.index >= 0,
            (line.classID ?? 0) >= 0,
            (0...Self.mostEvaluations).contains(line.evaluations), (0...Self.mostSeconds).contains(line.seconds ?? 0),
            line.class.unprintable == nil
        else { return nil }
        self = line
    }

    /// The line's bytes, with its end.
    var bytes: [UInt8] { [UInt8](ImageRecord.canonical(self)) + [UInt8(ascii: "\n")] }
}
