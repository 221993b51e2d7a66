/// One chunk of a PNG file: four letters and bytes under a checksum (PNG, 5.3).
struct PNGChunk {
    /// The eight bytes that every PNG begins with.
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// The largest length and extent of the format.
    static let largestNumber = 0x7FFF_FFFF

    /// The type of a chunk, four ASCII letters.
    struct Kind: Equatable {
        let name: String

        static let header = Kind(name: "IHDR")
        static let palette = Kind(name: "PLTE")
        static let data = Kind(name: "IDAT")
        static let end = Kind(name: "IEND")
        static let transparency = Kind(name: "tRNS")
        static let text = Kind(name: "tEXt")
        static let compressedText = Kind(name: "zTXt")
        static let internationalText = Kind(name: "iTXt")
        static let animationControl = Kind(name: "acTL")
        static let frameControl = Kind(name: "fcTL")
        static let frameData = Kind(name: "fdAT")

        /// Whether an image cannot be shown without knowing this chunk.
        var isCritical: Bool { name.utf8.first.map { $0 & 0x20 == 0 } ?? false }
    }

    let kind: Kind

    /// The contents, with the file's indices.
    let data: ArraySlice<UInt8>

    /// Adds a chunk to the end of a file.
    static func append(_ kind: Kind, _ data: [UInt8], to file: inout [UInt8]) {
        precondition(data.count <= largestNumber, "a chunk of \(data.count) bytes does not fit a PNG")
        file += UInt32(data.count).bigEndianBytes
        let start = file.count
        file += kind.name.utf8
        file += data
        file += Zlib.crc32(file[start...]).bigEndianBytes
    }
}

/// The chunks of a file in their order, each checked for length, letters and checksum, from `IHDR` to `IEND`.
struct PNGChunks {
    private let file: [UInt8]
    private var position: Int
    private var ended = false

    /// Checks the signature.
    init(_ file: [UInt8]) throws(ImageError) {
        guard file.starts(with: PNGChunk.signature) else {
            throw .malformed(.png, offset: 0, reason: "the PNG signature is missing")
        }
        self.file = file
        position = PNGChunk.signature.count
    }

    /// The next chunk, or nil after `IEND`.
    mutating func next() throws(ImageError) -> PNGChunk? {
        let start = position
        func malformed(_ reason: String) -> ImageError { .malformed(.png, offset: start, reason: reason) }
        let remaining = file.count - start
        guard !ended else {
            guard remaining == 0 else { throw malformed("\(remaining) bytes follow the end of the image") }
            return nil
        }
        guard remaining >= 12 else { throw malformed("the file ends inside a chunk") }
        let length = Int(UInt32(bigEndian: file[start..<start + 4]))
        guard length <= remaining - 12 else {
            throw malformed("a chunk of \(length) bytes is announced and \(remaining - 12) bytes are left")
        }
        let letters = file[start + 4..<start + 8]
        guard letters.allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) }) else {
            throw malformed("a chunk's type does not consist of letters")
        }
        let kind = PNGChunk.Kind(name: String(latin1: letters))
        let end = start + 8 + length
        guard Zlib.crc32(file[start + 4..<end]) == UInt32(bigEndian: file[end..<end + 4]) else {
            throw malformed("the checksum of the chunk \(kind.name) is wrong")
        }
        let isFirst = start == PNGChunk.signature.count
        guard isFirst == (kind == .header) else {
            throw malformed(isFirst ? "\(kind.name) stands in IHDR's place" : "a second IHDR")
        }
        if kind == .end {
            guard length == 0 else { throw malformed("IEND is not empty") }
            ended = true
        }
        position = end + 4
        return PNGChunk(kind: kind, data: file[start + 8..<end])
    }
}

extension UInt32 {
    var bigEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (24 - 8 * $0)) } }

    /// Reads four bytes, most significant first.
    init(bigEndian bytes: ArraySlice<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

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
