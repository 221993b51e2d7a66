import FoundationEssentials
import Imaging

/// A picture on its way to a file: format, metadata, and what to do about a file that is there already.
public struct ImageFile: Equatable, Sendable {
    /// A file format for pictures.
    public enum Format: String, CaseIterable, Sendable {
        case png
        case ppm

        /// The bytes of a file that holds the picture and what it was made from.
        public func encode(
            _ image: Image, record: ImageRecord, classNames: ClassNames
        ) throws(ImagingError) -> [UInt8] {
            let metadata = ImageMetadata(record: record)
            switch self {
            case .png:
                return try PNGWriter.encode(
                    image, text: metadata.texts(classNames: classNames, width: image.width, height: image.height))
            case .ppm:
                return PPM.encode(image, comment: metadata.comment)
            }
        }
    }

    /// What stands at a path before an image is made for it.
    public enum Standing: Equatable, Sendable {
        /// Nothing, or a file that is to be replaced.
        case free
        /// The image that is about to be made.
        case done
    }

    /// Where the picture goes.
    public let path: String
    /// How it is encoded.
    public let format: Format
    /// Whether a file at this path is made anew.
    public let replaces: Bool

    /// Joins a path, a format and a policy.
    public init(path: String, format: Format, replaces: Bool) {
        self.path = path
        self.format = format
        self.replaces = replaces
    }

    /// Whether the file is there already, with the same settings.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the place cannot be written to.
    public func standing(for record: ImageRecord) throws(PipelineError) -> Standing {
        var isDirectory = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard !isDirectory else { throw .cannotCreate("\(path): is a directory; name a file in it") }
        guard exists else {
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
            guard FileManager.default.fileExists(atPath: folder) else {
                throw .cannotCreate("\(path): the directory \(folder) does not exist; create it first")
            }
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw .cannotCreate("\(path): the directory \(folder) is not writable; choose another")
            }
            return .free
        }
        if replaces { return .free }
        let bytes = (try? Data(contentsOf: URL(filePath: path))).map(Array.init) ?? []
        guard ImageMetadata.settingsHash(in: bytes) == record.settingsHash else {
            throw .cannotCreate("\(path): another file is in the way; give another --output, or --force to replace it")
        }
        return .done
    }

    /// Encodes and writes the picture, whole or not at all.
    public func write(_ image: Image, record: ImageRecord, classNames: ClassNames) throws {
        let bytes = try format.encode(image, record: record, classNames: classNames)
        try AtomicFile.write(bytes, to: path, onConflict: replaces ? .replace : .fail)
    }
}
