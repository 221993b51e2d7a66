import Compute
import FoundationEssentials
import Media

/// A batch that was made earlier, read from its `run.json` and manifests.
public struct FinishedBatch: Sendable {
    /// Its directory, as given.
    public let name: String
    /// What the whole batch is.
    public let run: RunFile
    /// A line for each image that the manifests list, in the order of the batch's list.
    public let lines: [ManifestLine]
    private let folder: UntrustedFolder

    /// The most bytes that an image's file may have: those of the largest image, uncompressed, and its texts.
    private static let mostImageBytes = 3 << 28 + 1 << 26

    /// The places of the batch's list that no manifest read here has.
    public var missing: [Int] {
        let present = Set(lines.map(\.index))
        return (0..<run.count).filter { !present.contains($0) }
    }

    /// Reads the batches that these paths name: directories, of which all manifests are read, or manifests, of which
    /// those in one directory are one batch.
    ///
    /// - Returns: the batches, in the order in which each is named first.
    /// - Throws: ``PipelineError`` when a path names no batch, or its `run.json` or a manifest is missing or damaged.
    public static func read(_ paths: [String]) throws(PipelineError) -> [FinishedBatch] {
        var folders: [UntrustedFolder] = []
        var manifests: [[String]] = []
        for path in paths {
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw .missingInput("\(path): no such file; give a batch's directory or its manifest-0-of-1.jsonl")
            }
            let start = isDirectory ? path.utf8.endIndex : startOfName(in: path)
            let names = isDirectory ? try manifestNames(in: path) : [String(path[start...])]
            let folder = UntrustedFolder(path: isDirectory ? withSlash(path) : String(path[..<start]))
            let known = folders.firstIndex { $0.isSame(as: folder) }
            if known == nil {
                folders.append(folder)
                manifests.append([])
            }
            for name in names where !manifests[known ?? folders.count - 1].contains(name) {
                manifests[known ?? folders.count - 1].append(name)
            }
        }
        var batches: [FinishedBatch] = []
        for (folder, names) in zip(folders, manifests) {
            batches.append(try FinishedBatch(folder: folder, manifests: names))
        }
        return batches
    }

    /// Reads a batch.
    ///
    /// - Parameters:
    ///   - folder: its directory.
    ///   - manifests: the names of the manifests to read.
    /// - Throws: ``PipelineError`` when `run.json` or a manifest is missing or damaged, or they contradict each other.
    init(folder: UntrustedFolder, manifests: [String]) throws(PipelineError) {
        self.folder = folder
        name = folder.path.isEmpty ? "." : folder.path == "/" ? folder.path : String(folder.path.dropLast())
        run = try RunFile(folder: folder.path)
        var known: [Int: ManifestLine] = [:]
        for manifest in manifests {
            let path = folder.path + manifest
            for line in try Manifest.lines(of: manifest, in: folder) {
                guard line.index < run.count else {
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
        var owners: [String: Int] = [:]
        for line in lines {
            guard let owner = owners.updateValue(line.index, forKey: line.file) else { continue }
            throw .badData(
                "\(name): the manifests list one file for the images \(owner) and \(line.index); remove them and run the "
                    + "batch again")
        }
    }

    /// The path of an image.
    public func path(of line: ManifestLine) -> String { folder.path + line.file }

    /// Reads an image, which has to be the very file that the manifest lists, and to fit the memory.
    ///
    /// - Parameters:
    ///   - line: what the manifest says of it.
    ///   - peers: how many images are looked at side by side.
    /// - Returns: the picture, or the clip.
    /// - Throws: ``PipelineError`` when it is missing, another one, damaged, or too large.
    public func picture(of line: ManifestLine, peers: Int = 1) throws(PipelineError) -> Clip {
        let path = path(of: line)
        let bytes = try folder.read(
            line.file, most: Self.mostImageBytes,
            missing: ", though its manifest lists it; run the batch again to make it")
        guard SHA256.hexadecimal(bytes) == line.sha256 else {
            throw .badData(
                "\(path): not the file that its manifest lists, by its SHA-256; remove it and run the batch again")
        }
        let format = ImageFile.Format(of: bytes)
        let memory: DecodedMemory
        do throws(ImageError) { memory = DecodedMemory(try format.size(of: bytes)) } catch {
            throw .badData("\(path): \(error)")
        }
        try memory.check(path: path, peers: peers)
        do throws(ImageError) { return try format.decode(bytes) } catch {
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

    /// Where the last part of a path begins.
    private static func startOfName(in path: String) -> String.Index {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map(path.utf8.index(after:)) ?? path.startIndex
    }

    private static func withSlash(_ path: String) -> String {
        path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
    }
}

/// The memory that decoding and measuring a picture takes, computed before it is decoded: a small file may declare a huge
/// picture.
struct DecodedMemory {
    /// For a sample of 8 bits: two bytes while it is decoded, and planes of floats while it is measured.
    private static let bytesPerSample = 16
    /// Pictures that need no more than this are not checked.
    private static let unasked = 64 << 20

    private let size: (width: Int, height: Int, channels: Int, frames: Int)
    /// Frames are decoded together and measured one by one.
    private var bytes: Int {
        size.width * size.height * size.channels * (Self.bytesPerSample + 2 * (size.frames - 1))
    }

    /// - Parameter size: what the file's header declares, already within the limits of the format's reader.
    init(_ size: (width: Int, height: Int, channels: Int, frames: Int)) {
        self.size = size
    }

    /// Finds out whether the picture fits the free memory beside its peers.
    ///
    /// - Parameters:
    ///   - path: the file, for the message.
    ///   - peers: how many pictures are looked at side by side.
    ///   - free: the memory that is free, in bytes.
    /// - Throws: ``PipelineError/badData(_:)`` when it does not.
    func check(path: String, peers: Int, free: @autoclosure () -> Int = SystemMemory.now.free) throws(PipelineError) {
        guard bytes > Self.unasked else { return }
        let share = free() / max(1, peers)
        guard bytes > share else { return }
        throw .badData(
            "\(path): a picture of \(size.width)x\(size.height) takes \(bytes >> 20) MB to look at, and \(share >> 20) MB are free "
                + "for each of \(peers) at a time; "
                + (peers > 1 ? "give --threads 1, or make it smaller" : "make it smaller"))
    }
}
