/// What can go wrong when images are encoded, decoded, arranged or compared.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file format of this module.
    public enum Format: String, Sendable {
        case png = "PNG"
        case ppm = "PPM"
        case y4m = "Y4M"
    }

    /// The bytes break the format's rules at an offset.
    case malformed(Format, offset: Int, reason: String)

    /// The file is valid but uses a feature that this module does not decode.
    case unsupported(Format, feature: String)

    /// A format that keeps colours as video programs want them, and not the bytes of the pixels.
    case inexact(Format)

    /// The file is a valid PNG whose animation this module does not decode.
    case unsupportedAnimation(String)

    /// An image or a text is larger than the limit that guards memory.
    case tooLarge(what: String, limit: String)

    /// A keyword or text cannot be stored in a PNG.
    case unstorableText(keyword: String, reason: String)

    /// Two images that must agree in width, height and channels do not.
    case shapesDiffer(first: String, second: String)

    /// Each side of an image must be at least as long as the window of a measure, such as SSIM.
    case tooSmall(measure: String, width: Int, height: Int, least: Int)

    /// A grid of no images was asked for.
    case emptyGrid

    /// zlib refused to compress, which only a lack of memory brings about.
    case compressionFailed(code: Int)

    public var description: String {
        switch self {
        case .malformed(let format, let offset, let reason):
            "damaged \(format.rawValue) data at byte \(offset): \(reason); fetch or make the file again"
        case .unsupported(let format, let feature):
            "cannot decode this \(format.rawValue): \(feature); convert it to 8 bits per channel, gray or RGB"
        case .inexact(let format):
            "a \(format.rawValue) does not keep exact pixels; write PNG files where they are to be read again"
        case .unsupportedAnimation(let reason):
            "cannot read the frames of this PNG: \(reason); take it apart with apngdis"
        case .tooLarge(let what, let limit):
            "\(what) exceeds the limit of \(limit); make it smaller"
        case .unstorableText(let keyword, let reason):
            "cannot store the PNG text \(keyword.quotedOnOneLine): \(reason)"
        case .shapesDiffer(let first, let second):
            "the images differ in shape, \(first) against \(second); use images of one size and kind"
        case .tooSmall(let measure, let width, let height, let least):
            "an image of \(width)x\(height) is too small for \(measure); use at least \(least)x\(least)"
        case .emptyGrid:
            "a grid needs at least one image"
        case .compressionFailed(let code):
            "zlib cannot compress the image (code \(code)); free some memory"
        }
    }

    static func shapesDiffer(_ first: Image, _ second: Image) -> ImageError {
        .shapesDiffer(first: first.shapeDescription, second: second.shapeDescription)
    }
}

extension Image {
    fileprivate var shapeDescription: String { "\(width)x\(height) \(channels == 1 ? "gray" : "RGB")" }
}

extension String {
    /// The string in quotes with control characters escaped, so that it cannot break a one-line message.
    var quotedOnOneLine: String {
        var line = "'"
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line + "'"
    }
}

/// The sizes beyond which a file is refused before memory is taken for it.
enum ImageLimits {
    /// The most pixels of an image: 16,384 squared.
    static let pixels = 1 << 28

    /// The most bytes that all compressed texts of one file may grow to.
    static let inflatedText = 1 << 22

    /// Whether an image of these extents may be held in memory.
    static func allow(width: Int, height: Int) -> Bool {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        return !overflow && count <= pixels
    }

    /// Checks that so many frames of these extents may be held in memory together.
    static func check(width: Int, height: Int, frames: Int) throws(ImageError) {
        guard frames > 1 else {
            guard allow(width: width, height: height) else { throw tooLarge(width: width, height: height) }
            return
        }
        let (rows, overflow) = height.multipliedReportingOverflow(by: frames)
        guard !overflow, allow(width: width, height: rows) else {
            throw .tooLarge(what: "\(frames) frames of \(width)x\(height) pixels", limit: "\(pixels) pixels")
        }
    }

    static func tooLarge(width: Int, height: Int) -> ImageError {
        .tooLarge(what: "an image of \(width)x\(height) pixels", limit: "\(pixels) pixels")
    }
}
