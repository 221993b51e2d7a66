import Caching
import Compute
import FoundationEssentials
import Media
import Models
import Sampling

/// The texts that an image file carries: the record for omnicache, and a line that image viewers of the field read.
public struct ImageMetadata: Codable, Equatable, Sendable {
    /// The keyword of the JSON text in a PNG.
    static let keyword = "omnicache"
    /// What the settings hash follows in a PPM's comment.
    static let commentPrefix = "omnicache settings "

    /// What was asked for.
    public let record: ImageRecord
    /// The record's hash, for comparing files without knowing every field.
    public let settingsHash: String
    /// What made the image.
    public let versions: LibraryVersions

    /// Describes an image that this process makes.
    public init(record: ImageRecord, versions: LibraryVersions = .current) {
        self.record = record
        settingsHash = record.settingsHash
        self.versions = versions
    }

    /// The text chunks of a PNG.
    public func texts(classNames: ClassNames, width: Int, height: Int) -> [PNGText] {
        [
            PNGText(keyword: "Software", text: "omnicache \(versions.omnicache)"),
            PNGText(keyword: "parameters", text: parameters(classNames: classNames, width: width, height: height)),
            PNGText(
                keyword: Self.keyword, text: String(decoding: CanonicalJSON.data(self), as: UTF8.self),
                international: true),
        ]
    }

    /// The comment of a PPM.
    public var comment: String { Self.commentPrefix + settingsHash }

    /// One line for the subject and one of `key: value` pairs, as image viewers and web interfaces of this field parse.
    private func parameters(classNames: ClassNames, width: Int, height: Int) -> String {
        let names = record.items.prefix(4).map { classNames.name(of: $0.condition) }
        let negative = record.items.first?.negative.map { "\nNegative prompt: \($0.onOneLine)" } ?? ""
        let subject =
            names.joined(separator: ", ").onOneLine + (record.items.count > names.count ? ", …" : "") + negative
        let settings = record.settings
        let pairs: [(String, String)] =
            [
                ("Steps", "\(settings.steps)"),
                ("Sampler", settings.sampler.kind.rawValue.uppercased()),
                ("Schedule type", settings.sampler.spacing.rawValue),
                ("CFG scale", Self.short(settings.guidanceScale)),
                ("Seed", record.items.first.map { "\($0.seed)" } ?? ""),
                ("Size", "\(width)x\(height)"),
                ("Model hash", String(record.model.hash.prefix(10))),
                ("Model", record.model.name.onOneLine),
            ] + Self.pairs(of: record.reuse) + [("Version", "omnicache \(versions.omnicache)")]
        return subject + "\n" + pairs.map { "\($0): \($1)" }.joined(separator: ", ")
    }

    /// What is said of a cache; nothing where nothing was reused.
    private static func pairs(of reuse: ReuseRecord?) -> [(String, String)] {
        guard let reuse else { return [] }
        return [("Cache", "\(reuse.planner)+\(reuse.forecaster.name)")]
            + (reuse.budget.map { [("Budget", short($0.share))] } ?? [])
            + [("Evaluations", "\(reuse.evaluations)/\(reuse.decisions.fullEvaluations)")]
    }

    /// A number without a fraction of zero.
    private static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
}

extension ImageMetadata {
    /// Reads the metadata of a PNG.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` if the file is no PNG of omnicache's, or damaged.
    public init(png bytes: [UInt8], path: String) throws(PipelineError) {
        guard ImageFile.Format(of: bytes) == .png else {
            throw .badData(
                "\(path): a PPM or a Y4M keeps only the hash of its settings; give an image or a clip made as a PNG")
        }
        guard PNGReader.isPNG(bytes) else {
            throw .badData("\(path): not a PNG image; give an image or a clip that omnicache made")
        }
        let texts: [PNGText]
        do {
            texts = try PNGReader.text(in: bytes)
        } catch {
            throw .badData("\(path): \(error)")
        }
        guard let text = texts.first(where: { $0.keyword == Self.keyword })?.text else {
            throw .badData("\(path): no omnicache settings in this image; it was made by another program")
        }
        guard let metadata = try? JSONDecoder().decode(ImageMetadata.self, from: Data(text.utf8)),
            metadata.record.schema == ImageRecord.currentSchema, !metadata.record.items.isEmpty,
            metadata.record.framesPerSecond.map(Clip.rates.contains) != false
        else {
            throw .badData("\(path): the image's settings are damaged or of another version of omnicache")
        }
        self = metadata
    }

    /// The settings hash that the image file at `path` carries, of a Y4M its first half; nil for a file of any other origin,
    /// or one that is cut short.
    ///
    /// Reads nothing from the pixels on, since it is called for every file of a batch.
    public static func settingsHash(path: String) -> String? {
        if let texts = ImageProbe.pngTexts(path: path) {
            return texts.first { $0.keyword == keyword }.flatMap { settingsHash(inRecord: $0.text) }
        }
        if let note = ImageProbe.y4mNote(path: path) { return note }
        let comments = ImageProbe.ppmComments(path: path)
        return comments?.first { $0.hasPrefix(commentPrefix) }.map { String($0.dropFirst(commentPrefix.count)) }
    }

    /// The hash in the JSON of the metadata, of which the record may be long.
    private static func settingsHash(inRecord text: String) -> String? {
        struct Hash: Decodable { let settingsHash: String }
        // Everything after the record fits into this many bytes; a key in these bytes is at the top level.
        let key = "\"settingsHash\":\""
        let tail = String(decoding: text.utf8.suffix(1024), as: UTF8.self)
        guard let hash = tail.split(separator: key, omittingEmptySubsequences: false).dropFirst().last?.prefix(64),
            hash.utf8.count == 64, text.hasPrefix("{\"record\":")
        else { return (try? JSONDecoder().decode(Hash.self, from: Data(text.utf8)))?.settingsHash }
        return String(hash)
    }
}

/// What made an image: stored beside its settings, and no part of them.
public struct LibraryVersions: Codable, Equatable, Sendable {
    /// The version of omnicache.
    public static let omnicache = "0.1.0"

    /// The version of omnicache that made the image.
    public let omnicache: String
    /// What OpenBLAS said of its version and build.
    public let openblas: String
    /// The processor family whose kernels OpenBLAS used; results agree to the last bit only within one.
    public let core: String

    /// The version of oneDNN; nil where it was not used.
    public let onednn: String?

    /// The versions of this process.
    public static var current: LibraryVersions {
        LibraryVersions(
            omnicache: omnicache, openblas: BLAS.configuration, core: BLAS.coreName, onednn: OneDNN.version)
    }
}
