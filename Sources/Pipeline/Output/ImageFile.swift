import Media
import Models

/// A file for a picture or a clip: its path and format, and whether an existing file is replaced.
public struct ImageFile: Equatable, Sendable {
    /// A file format.
    public enum Format: String, CaseIterable, Sendable {
        /// A picture, or a clip as an animated PNG.
        case png
        /// A clip as an animated PNG.
        case apng
        /// A picture.
        case ppm
        /// A clip without compression, its colours as video programs want them.
        case y4m

        /// The format of a file with these bytes: whatever does not begin like another one counts as a PNG.
        public init(of bytes: [UInt8]) {
            self =
                if bytes.starts(with: "P6".utf8) || bytes.starts(with: "P5".utf8) {
                    .ppm
                } else if bytes.starts(with: Y4M.signature.utf8) {
                    .y4m
                } else {
                    .png
                }
        }

        /// Decodes a file of this format.
        public func decode(_ bytes: [UInt8]) throws(ImageError) -> Clip {
            switch self {
            case .png, .apng: try PNGReader.clip(bytes)
            case .ppm: Clip(try PPM.decode(bytes))
            case .y4m: throw .inexact(.y4m)
            }
        }

        /// The size that the header of a file of this format declares, and how many frames; reads no pixels.
        public func size(
            of bytes: [UInt8]
        ) throws(ImageError) -> (width: Int, height: Int, channels: Int, frames: Int) {
            let size =
                switch self {
                case .png, .apng: try PNGReader.size(of: bytes)
                case .ppm: try PPM.size(of: bytes)
                case .y4m: throw .inexact(.y4m)
                }
            return (
                size.width, size.height, size.channels, self == .ppm ? 1 : try PNGReader.frames(of: bytes).count
            )
        }

        /// The bytes of a file that holds a picture or a clip, and what it was made from.
        ///
        /// A PPM holds one picture: ``Batch/Output/layout(in:count:)`` gives it none with more frames.
        public func encode(_ clip: Clip, record: ImageRecord, classNames: ClassNames) throws(ImageError) -> [UInt8] {
            let (metadata, first) = (ImageMetadata(record: record), clip.frames[0])
            switch self {
            case .png, .apng:
                return try PNGWriter.encode(
                    clip, text: metadata.texts(classNames: classNames, width: first.width, height: first.height))
            case .ppm:
                return PPM.encode(first, comment: metadata.comment)
            case .y4m:
                return Y4M.encode(clip, note: kept(metadata.settingsHash))
            }
        }

        /// As much of a settings hash as a file of this format keeps.
        func kept(_ settingsHash: String) -> String {
            self == .y4m ? String(settingsHash.prefix(32)) : settingsHash
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
        try Standing(
            of: path, hash: format.kept(settingsHash), replaces: replaces, read: ImageMetadata.settingsHash(path:))
    }

    /// Encodes and writes a picture or a clip, whole or not at all.
    ///
    /// - Returns: the file's bytes.
    @discardableResult
    public func write(_ clip: Clip, record: ImageRecord, classNames: ClassNames) throws -> [UInt8] {
        let bytes = try format.encode(clip, record: record, classNames: classNames)
        try AtomicFile.writeResult(bytes, to: path, replaces: replaces)
        return bytes
    }
}
