import FoundationEssentials
import Imaging

/// A batch that was made earlier, as its books tell: `run.json` and the manifests beside it. Only read, never written.
public struct FinishedBatch: Sendable {
    /// Its directory as a person writes it.
    public let name: String
    /// What the whole batch is.
    public let run: RunFile
    /// A line for each image that the manifests list, in the order of the batch's list.
    public let lines: [ManifestLine]
    private let folder: String

    /// The places of the batch's list that no manifest read here has.
    public var missing: [Int] {
        let present = Set(lines.map(\.index))
        return (0..<run.count).filter { !present.contains($0) }
    }

    /// Reads the batches that these paths name: directories, of which all manifests are read, or manifests, of which
    /// those in one directory are one batch.
    ///
    /// - Returns: the batches, in the order in which each is named first.
    /// - Throws: ``PipelineError`` when a path names no batch, or its books are missing or damaged.
    public static func read(_ paths: [String]) throws(PipelineError) -> [FinishedBatch] {
        var folders: [String] = []
        var manifests: [String: [String]] = [:]
        for path in paths {
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw .missingInput("\(path): no such file; give a batch's directory or its manifest-0-of-1.jsonl")
            }
            let names = isDirectory ? try manifestNames(in: path) : [lastComponent(of: path)]
            let folder = isDirectory ? withSlash(path) : String(path.dropLast(names[0].count))
            let known = folders.first { Self.isSame($0, folder) }
            if known == nil { folders.append(folder) }
            for name in names where manifests[known ?? folder]?.contains(name) != true {
                manifests[known ?? folder, default: []].append(name)
            }
        }
        var batches: [FinishedBatch] = []
        for folder in folders { batches.append(try FinishedBatch(folder: folder, manifests: manifests[folder] ?? [])) }
        return batches
    }

    /// Reads a batch.
    ///
    /// - Parameters:
    ///   - folder: its directory, with the slash after it; empty for the present one.
    ///   - manifests: the names of the manifests to read.
    /// - Throws: ``PipelineError`` when the books are missing, damaged, or contradict each other.
    init(folder: String, manifests: [String]) throws(PipelineError) {
        self.folder = folder
        name = folder.isEmpty ? "." : folder == "/" ? folder : String(folder.dropLast())
        run = try RunFile(folder: folder)
        var known: [Int: ManifestLine] = [:]
        for manifest in manifests {
            let path = folder + manifest
            for line in try Manifest.lines(of: path) {
                guard (0..<run.count).contains(line.index) else {
                    throw .badData(
                        "\(path): lists image \(line.index) of a batch of \(run.count); remove it and run the batch again"
                    )
                }
                guard let other = known[line.index] else {
                    known[line.index] = line
                    continue
                }
                guard other.isAboutSame(as: line), other.sha256 == line.sha256 else {
                    throw .badData(
                        "\(path): image \(line.index) is listed twice, with different contents; remove the older manifest"
                    )
                }
                // Who has made an image knows its seconds; who has found it does not.
                if other.seconds == nil { known[line.index] = line }
            }
        }
        guard !known.isEmpty else {
            throw .badData("\(name): no image is listed in its manifests; run the batch again to make some")
        }
        lines = known.values.sorted { $0.index < $1.index }
    }

    /// The path of an image.
    public func path(of line: ManifestLine) -> String { folder + line.file }

    /// Reads an image, which has to be the very file that the manifest lists.
    ///
    /// - Throws: ``PipelineError`` when it is missing, another one, or damaged.
    public func picture(of line: ManifestLine) throws(PipelineError) -> Image {
        let path = path(of: line)
        guard FileManager.default.fileExists(atPath: path) else {
            throw .missingInput("\(path): no such file, though its manifest lists it; run the batch again to make it")
        }
        guard let bytes = try? [UInt8](Data(contentsOf: URL(filePath: path))) else {
            throw .inputOutput("\(path): cannot be read; check its permissions")
        }
        guard SHA256.hexadecimal(bytes) == line.sha256 else {
            throw .badData(
                "\(path): not the file that its manifest lists, by its SHA-256; remove it and run the batch again")
        }
        do throws(ImagingError) {
            return try ImageFile.Format(of: bytes).decode(bytes)
        } catch {
            throw .badData("\(path): \(error)")
        }
    }

    private static func manifestNames(in directory: String) throws(PipelineError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw .inputOutput("\(directory): cannot be read; check its permissions")
        }
        let manifests = names.filter(Manifest.isName).sorted()
        guard !manifests.isEmpty else {
            throw .missingInput(
                "\(directory): no manifest there; give the directory of a batch made with --batch, --shard or --manifest"
            )
        }
        return manifests
    }

    private static func lastComponent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    private static func withSlash(_ path: String) -> String { path.hasSuffix("/") ? path : path + "/" }

    /// Whether two directories are one under two names.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        func standard(_ folder: String) -> String { URL(filePath: folder.isEmpty ? "." : folder).standardized.path() }
        return a == b || standard(a) == standard(b)
    }
}
