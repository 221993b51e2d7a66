import Media
import Models

/// A file for a picture: its path and format, and whether an existing file is replaced.
public struct ImageFile: Equatable, Sendable {
    /// A file format for pictures.
    public enum Format: String, CaseIterable, Sendable {
        case png
        case ppm

        /// The format of a file with these bytes: whatever does not begin like a PPM or PGM counts as a PNG.
        public init(of bytes: [UInt8]) {
            self = bytes.starts(with: "P6".utf8) || bytes.starts(with: "P5".utf8) ? .ppm : .png
        }

        /// Decodes a file of this format.
        public func decode(_ bytes: [UInt8]) throws(ImageError) -> Image {
            switch self {
            case .png: try PNGReader.decode(bytes)
            case .ppm: try PPM.decode(bytes)
            }
        }

        /// The size that the header of a file of this format declares; reads no pixels.
        public func size(of bytes: [UInt8]) throws(ImageError) -> (width: Int, height: Int, channels: Int) {
            switch self {
            case .png: try PNGReader.size(of: bytes)
            case .ppm: try PPM.size(of: bytes)
            }
        }

        /// The bytes of a file that holds the frames of a picture, one for an image, and what it was made from.
        ///
        /// Both formats hold one picture, so several frames are side by side in it.
        public func encode(
            _ frames: [Image], record: ImageRecord, classNames: ClassNames
        ) throws(ImageError) -> [UInt8] {
            let image = try FrameSheet.picture(of: frames)
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

    /// Where the picture goes.
    public let path: String
    /// How it is encoded.
    public let format: Format
    /// Whether an existing file is replaced.
    public let replaces: Bool

    /// Joins a path, a format and a policy.
    public init(path: String, format: Format, replaces: Bool) {
        self.path = path
        self.format = format
        self.replaces = replaces
    }

    /// Whether the file exists already, with the same settings.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the directory is not writable.
    public func standing(for record: ImageRecord) throws(PipelineError) -> Standing {
        try standing(for: record.settingsHash)
    }

    /// Whether the file exists already, with the settings of this hash; reads no pixels.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the directory is not writable.
    public func standing(for settingsHash: String) throws(PipelineError) -> Standing {
        try Standing(of: path, hash: settingsHash, replaces: replaces, read: ImageMetadata.settingsHash(path:))
    }

    /// Encodes and writes the frames of a picture, whole or not at all.
    ///
    /// - Returns: the file's bytes.
    @discardableResult
    public func write(_ frames: [Image], record: ImageRecord, classNames: ClassNames) throws -> [UInt8] {
        let bytes = try format.encode(frames, record: record, classNames: classNames)
        try AtomicFile.writeResult(bytes, to: path, replaces: replaces)
        return bytes
    }
}
