import FoundationEssentials
import Glibc
import Media
import Models

/// The list of the images that a shard has made, `manifest-i-of-n.jsonl`: a line is appended for each image that is written.
///
/// It adds nothing to the files but the seconds: a line that is missing or incomplete is made again from the
/// image's file. Processes that write the same manifest take turns by a lock on it.
public struct Manifest: Sendable {
    /// The file.
    public var path: String { folder + name }
    /// Its name.
    public let name: String
    private let folder: String

    /// More bytes than `run.json` or a manifest of the largest batch has.
    static let mostBytes = 1 << 30
    /// A shard's manifest has a line an image, and a few more where several processes were given one shard.
    private static let mostLines = 4 * WorkList.mostImages

    /// The manifest of a shard.
    ///
    /// - Parameters:
    ///   - shard: the shard.
    ///   - folder: its directory, with the slash after it; empty for the present one.
    public init(shard: Shard, folder: String) {
        self.folder = folder
        name = "manifest-\(shard.index)-of-\(shard.count).jsonl"
    }

    /// Whether a file of this name is a manifest.
    static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "manifest", parts[2] == "of", parts[3].hasSuffix(".jsonl") else {
            return false
        }
        return (try? Shard("\(parts[1])/\(parts[3].dropLast(".jsonl".count))")) != nil
    }

    /// Appends a line.
    ///
    /// - Throws: ``PipelineError`` when the file cannot be made or written.
    public func append(_ line: ManifestLine) throws(PipelineError) {
        try withLock { descriptor throws(PipelineError) in
            let end = lseek(descriptor, 0, SEEK_END)
            var last = UInt8(ascii: "\n")
            if end > 0 { pread(descriptor, &last, 1, end - 1) }
            // What a killed or failed process has begun is ended here.
            let bytes = (last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]) + line.bytes
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written == bytes.count else {
                throw .inputOutput(
                    "\(path): cannot write: \(written < 0 ? String(cString: strerror(errno)) : "no space left"); run the "
                        + "same command again when that is mended")
            }
        }
    }

    /// Puts the manifest in order: one line for each image that exists, in the list's order, and no other line.
    ///
    /// - Parameter expected: the lines of the images whose files exist, without seconds and checksum.
    /// - Throws: ``PipelineError`` when the manifest or an image cannot be read or written.
    public func settle(_ expected: [ManifestLine]) throws(PipelineError) {
        try withLock { _ throws(PipelineError) in
            let present = try InputFile.read(path)
            var known: [Int: ManifestLine] = [:]
            for text in present.split(separator: UInt8(ascii: "\n")) {
                guard let line = ManifestLine(text), known[line.index] == nil else { continue }
                known[line.index] = line
            }
            var bytes: [UInt8] = []
            for line in expected {
                if let old = known[line.index], old.isAboutSame(as: line) {
                    bytes += old.bytes
                } else {
                    bytes += line.of(try InputFile.read(folder + line.file), seconds: nil).bytes
                }
            }
            guard bytes != present else { return }
            do throws(FileError) {
                try AtomicFile.write(bytes, to: path, onConflict: .replace)
            } catch {
                throw PipelineError(error)
            }
        }
    }

    /// The lines of a manifest's file; none for a shard without images.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - folder: its directory.
    /// - Returns: the lines in their order.
    /// - Throws: ``PipelineError`` when there is no such file, it is not a manifest, or a line of it is torn.
    static func lines(of name: String, in folder: UntrustedFolder) throws(PipelineError) -> [ManifestLine] {
        let bytes = try folder.read(name, most: mostBytes, missing: "; give a batch's manifest-0-of-1.jsonl")
        var lines: [ManifestLine] = []
        for text in bytes.split(separator: UInt8(ascii: "\n")) {
            guard lines.count < mostLines, let line = ManifestLine(text) else {
                throw .badData(
                    "\(folder.path)\(name): line \(lines.count + 1) is none of a manifest's, or damaged; run the batch "
                        + "again to mend a manifest")
            }
            guard UntrustedFolder.isPlain(line.file) else {
                throw .badData(
                    "\(folder.path)\(name): line \(lines.count + 1) names a file that is not in the directory, or not by a plain "
                        + "relative path; no batch wrote that")
            }
            lines.append(line)
        }
        return lines
    }

    /// Opens the manifest under a lock that other processes respect, even if one of them replaces it meanwhile.
    private func withLock(_ body: (Int32) throws(PipelineError) -> Void) throws(PipelineError) {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw .cannotCreate(
                    "\(path): cannot be created: \(String(cString: strerror(errno))); choose another directory")
            }
            defer { close(descriptor) }
            // Where a file system has no locks, one process a shard has to do.
            while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            var (mine, there) = (stat(), stat())
            guard fstat(descriptor, &mine) == 0, stat(path, &there) == 0, mine.st_ino == there.st_ino,
                mine.st_dev == there.st_dev
            else { continue }
            guard mine.st_mode & S_IFMT == S_IFREG else {
                throw .cannotCreate("\(path): something else than a file is in the way; remove it")
            }
            return try body(descriptor)
        }
    }
}

extension PipelineError {
    /// A file that could not be written, in the words of a request.
    init(_ error: FileError) {
        switch error {
        case .exists, .cannotCreate: self = .cannotCreate("\(error)")
        case .failed: self = .inputOutput("\(error)")
        }
    }
}

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
    /// The number of its class; nil for a prompt.
    public let classID: Int?
    /// Its seed.
    public let seed: UInt32
    /// What it should not show; nil for nothing in particular.
    public let negativePrompt: String?
    /// The evaluations that it takes.
    public let evaluations: Int
    /// The seconds that it took; nil where that is unknown, as when a process was killed right after.
    public var seconds: Double?
    /// The SHA-256 of the file's bytes.
    public var sha256: String

    /// Joins the parts; ``of(_:seconds:)`` adds those that are known only once the image is written.
    public init(index: Int, file: String, class name: String, item: SampleItem, evaluations: Int) {
        self.index = index
        self.file = file
        self.class = name
        classID = item.classID
        seed = item.seed
        negativePrompt = item.negative
        self.evaluations = evaluations
        sha256 = ""
    }

    /// The condition of the image.
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
            && negativePrompt == other.negativePrompt && evaluations == other.evaluations
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
    var bytes: [UInt8] { CanonicalJSON.file(self) }
}
