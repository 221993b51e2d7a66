/// The contents of an `IHDR` chunk (PNG, 11.2.1), limited to what this module decodes: 8 bits, not interlaced.
struct PNGHeader: Equatable {
    enum ColourType: UInt8 {
        case gray = 0
        case rgb = 2
        case grayAlpha = 4
        case rgba = 6

        /// Bytes per pixel.
        var samples: Int {
            switch self {
            case .gray: 1
            case .rgb: 3
            case .grayAlpha: 2
            case .rgba: 4
            }
        }

        var hasAlpha: Bool { self == .grayAlpha || self == .rgba }
    }

    let width: Int
    let height: Int
    let colourType: ColourType

    /// Bytes of a filtered row: the filter's number and the samples.
    var filteredRowBytes: Int { 1 + width * colourType.samples }

    init(width: Int, height: Int, colourType: ColourType) {
        self.width = width
        self.height = height
        self.colourType = colourType
    }

    /// Reads a chunk that a file begins with.
    init(_ chunk: PNGChunk) throws(ImageError) {
        let data = Array(chunk.data)
        func malformed(_ reason: String) -> ImageError {
            .malformed(.png, offset: chunk.data.startIndex, reason: reason)
        }
        guard data.count == 13 else { throw malformed("the header has \(data.count) bytes, not 13") }
        width = Int(UInt32(bigEndian: data[0..<4]))
        height = Int(UInt32(bigEndian: data[4..<8]))
        guard width > 0, height > 0, width <= PNGChunk.largestNumber, height <= PNGChunk.largestNumber else {
            throw malformed("\(width)x\(height) is no image size")
        }
        guard data[10] == 0, data[11] == 0 else { throw malformed("unknown compression or filter method") }
        guard data[12] <= 1 else { throw malformed("unknown interlace method \(data[12])") }
        guard data[9] == 3 || ColourType(rawValue: data[9]) != nil else {
            throw malformed("unknown colour type \(data[9])")
        }
        guard [1, 2, 4, 8, 16].contains(data[8]) else { throw malformed("\(data[8]) bits per sample") }
        guard let colourType = ColourType(rawValue: data[9]) else {
            throw .unsupported(.png, feature: "it has a palette")
        }
        guard data[8] == 8 else { throw .unsupported(.png, feature: "\(data[8]) bits per sample") }
        guard data[12] == 0 else { throw .unsupported(.png, feature: "it is interlaced") }
        self.colourType = colourType
        guard ImageLimits.allow(width: width, height: height) else {
            throw ImageLimits.tooLarge(width: width, height: height)
        }
    }

    /// The chunk's 13 bytes.
    var bytes: [UInt8] {
        UInt32(truncatingIfNeeded: width).bigEndianBytes + UInt32(truncatingIfNeeded: height).bigEndianBytes
            + [8, colourType.rawValue, 0, 0, 0]
    }
}
