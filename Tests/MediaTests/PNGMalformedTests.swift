import Testing

@testable import Media

@Suite struct PNGMalformedTests {
    static let image = TestImages.ramp(width: 5, height: 4, channels: 3)
    static let pixelData = filtered(image)

    /// The image's rows, each behind the number of filter 0.
    static func filtered(_ image: Image) -> [UInt8] {
        (0..<image.height).flatMap { [0] + image.pixels[$0 * image.rowBytes..<($0 + 1) * image.rowBytes] }
    }

    static func header(
        width: UInt32 = 5, height: UInt32 = 4, depth: UInt8 = 8, colour: UInt8 = 2, compression: UInt8 = 0,
        filter: UInt8 = 0, interlace: UInt8 = 0
    ) -> (String, [UInt8]) {
        (
            "IHDR",
            width.bigEndianBytes + height.bigEndianBytes + [depth, colour, compression, filter, interlace]
        )
    }

    static func data(_ bytes: [UInt8]) -> (String, [UInt8]) { ("IDAT", deflated(bytes)) }

    static func deflated(_ bytes: [UInt8]) -> [UInt8] { (try? Zlib.deflate(bytes, level: 9)) ?? [] }

    static func file(_ chunks: [(String, [UInt8])], end: Bool = true) -> [UInt8] {
        var file = PNGChunk.signature
        for (name, data) in chunks + (end ? [("IEND", [])] : []) {
            PNGChunk.append(PNGChunk.Kind(name: name), data, to: &file)
        }
        return file
    }

    /// A kind of damage and a phrase of the message that it brings.
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let phrase: String

        init(_ name: String, _ bytes: [UInt8], _ phrase: String) {
            self.testDescription = name
            self.bytes = bytes
            self.phrase = phrase
        }
    }

    static let cases: [Case] = {
        let good = data(pixelData)
        var badSum = file([header(), good])
        badSum[30] ^= 1
        var longChunk = file([header(), good])
        longChunk.replaceSubrange(33..<37, with: [0xFF, 0xFF, 0xFF, 0xFF])
        var badFilter = pixelData
        badFilter[16] = 5
        var badAdler = deflated(pixelData)
        badAdler[badAdler.count - 1] ^= 1
        return [
            Case("no bytes", [], "signature"),
            Case("text instead of an image", Array("hello, world".utf8), "signature"),
            Case("only a signature", PNGChunk.signature, "ends inside a chunk"),
            Case("no IEND", file([header(), good], end: false), "ends inside a chunk"),
            Case("wrong checksum", badSum, "checksum of the chunk IHDR"),
            Case("length beyond the file", longChunk, "chunk of 4294967295 bytes is announced"),
            Case("type that is no letters", file([header(), ("ID\u{1}T", [])]), "letters"),
            Case("IHDR not first", file([good, header()]), "stands in IHDR's place"),
            Case("two IHDR", file([header(), header(), good]), "second IHDR"),
            Case("short IHDR", file([("IHDR", [0, 0, 0, 1])]), "4 bytes, not 13"),
            Case("width 0", file([header(width: 0), good]), "0x4 is no image size"),
            Case("height above 2^31", file([header(height: 1 << 31), good]), "is no image size"),
            Case("oversized", file([header(width: 1 << 20, height: 1 << 20), good]), "exceeds the limit"),
            Case(
                "extents whose product overflows", file([header(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF), good]),
                "exceeds"),
            Case("7 bits", file([header(depth: 7), good]), "7 bits per sample"),
            Case("16 bits", file([header(depth: 16), good]), "16 bits per sample"),
            Case("palette", file([header(colour: 3), good]), "palette"),
            Case("colour type 5", file([header(colour: 5), good]), "colour type 5"),
            Case("compression 1", file([header(compression: 1), good]), "compression"),
            Case("filter method 1", file([header(filter: 1), good]), "filter method"),
            Case("interlaced", file([header(interlace: 1), good]), "interlaced"),
            Case("interlace method 2", file([header(interlace: 2), good]), "interlace method 2"),
            Case("unknown critical chunk", file([header(), ("NEWC", []), good]), "critical chunk NEWC"),
            Case("palette in gray", file([header(colour: 0), ("PLTE", []), good]), "critical chunk PLTE"),
            Case("transparent colour", file([header(), ("tRNS", [0, 0, 0, 0, 0, 0]), good]), "tRNS"),
            Case("no IDAT", file([header()]), "no IDAT"),
            Case("IDAT in two places", file([header(), good, ("teSt", []), good]), "not in one row"),
            Case("empty IDAT", file([header(), ("IDAT", [])]), "damaged or cut short"),
            Case("cut IDAT", file([header(), ("IDAT", Array(good.1.dropLast(6)))]), "damaged or cut short"),
            Case("IDAT that is no zlib stream", file([header(), ("IDAT", pixelData)]), "damaged or cut short"),
            Case("wrong Adler-32", file([header(), ("IDAT", badAdler)]), "damaged or cut short"),
            Case("too few rows", file([header(), data(Array(pixelData.dropLast()))]), "hold 63 bytes, not 64"),
            Case("too many bytes", file([header(), data(pixelData + [0])]), "more than 64 bytes"),
            Case(
                "bytes after the stream", file([header(), ("IDAT", good.1 + [1, 2])]), "2 bytes follow the image data"),
            Case("zip bomb", file([header(), data([UInt8](repeating: 0, count: 1 << 20))]), "more than 64 bytes"),
            Case("large image, few data", file([header(width: 16384, height: 16384), good]), "bytes, not 805322752"),
            Case("unknown row filter", file([header(), data(badFilter)]), "row 1 has the unknown filter 5"),
            Case("IEND with contents", file([header(), good, ("IEND", [1])], end: false), "IEND is not empty"),
            Case("bytes after IEND", file([header(), good]) + [7], "1 bytes follow the end"),
        ]
    }()

    @Test(arguments: cases)
    func `each kind of damage has its one-line message`(damage: Case) {
        #expect {
            try PNGReader.decode(damage.bytes)
        } throws: { error in
            error is ImageError && "\(error)".contains(damage.phrase) && isOneLine("\(error)")
        }
    }

    @Test func `split and empty IDAT chunks are one stream`() throws {
        let stream = Self.data(Self.pixelData).1
        let parts = [stream[..<1], [], stream[1..<10], stream[10...]]
        let chunks = [Self.header()] + parts.map { ("IDAT", Array($0)) }
        #expect(try PNGReader.decode(Self.file(chunks)) == Self.image)
    }

    @Test func `ancillary chunks and a suggested palette are passed over`() throws {
        let chunks = [Self.header(), ("gAMA", [0, 0, 1, 2]), ("PLTE", [1, 2, 3]), Self.data(Self.pixelData)]
        #expect(try PNGReader.decode(Self.file(chunks + [("tIME", [1])])) == Self.image)
    }

    @Test func `gray with alpha is laid over the background`() throws {
        let chunks = [Self.header(width: 2, height: 1, colour: 4), Self.data([0, 100, 255, 100, 0])]
        #expect(try PNGReader.decode(Self.file(chunks), background: Colour(gray: 7)).pixels == [100, 7])
    }

    static let textCases: [Case] = {
        let bomb = deflated([UInt8](repeating: 0x61, count: (1 << 22) + 1))
        let half = deflated([UInt8](repeating: 0x61, count: 5 << 19))
        let keyword = Array("Key".utf8) + [0]
        func text(_ name: String, _ bytes: [UInt8]) -> [UInt8] { file([header(), (name, bytes), data(pixelData)]) }
        return [
            Case("tEXt without NUL", text("tEXt", [0x61]), "keyword does not end"),
            Case("empty tEXt", text("tEXt", []), "keyword does not end"),
            Case("empty keyword", text("tEXt", [0, 0x61]), "1 to 79 characters"),
            Case("80 letters", text("tEXt", [UInt8](repeating: 0x61, count: 80) + [0]), "1 to 79 characters"),
            Case("zTXt without method", text("zTXt", keyword), "compression method"),
            Case("zTXt method 1", text("zTXt", keyword + [1] + half), "compression method"),
            Case("zTXt damaged", text("zTXt", keyword + [0] + half.dropLast(5)), "compressed text is damaged"),
            Case("zTXt with trailing bytes", text("zTXt", keyword + [0] + half + [0]), "compressed text is damaged"),
            Case("zTXt bomb", text("zTXt", keyword + [0] + bomb), "exceeds the limit of 4194304 bytes"),
            Case(
                "two zTXt that are a bomb together",
                file([header(), ("zTXt", keyword + [0] + half), ("iTXt", keyword + [1, 0, 0, 0] + half)]),
                "exceeds the limit of 4194304 bytes"),
            Case("iTXt without flags", text("iTXt", keyword), "field is missing"),
            Case("iTXt without translation", text("iTXt", keyword + [0, 0, 0]), "field is missing"),
            Case("iTXt flag 2", text("iTXt", keyword + [2, 0, 0, 0]), "compression method"),
            Case("iTXt method 1", text("iTXt", keyword + [1, 1, 0, 0] + half), "compression method"),
            Case("iTXt that is not UTF-8", text("iTXt", keyword + [0, 0, 0, 0, 0xC3]), "not UTF-8"),
        ]
    }()

    @Test(arguments: textCases)
    func `each kind of damaged text has its one-line message`(damage: Case) {
        #expect {
            try PNGReader.text(in: damage.bytes)
        } throws: { error in
            error is ImageError && "\(error)".contains(damage.phrase) && isOneLine("\(error)")
        }
    }

    @Test func `every prefix of a file is refused`() throws {
        let file = try PNGWriter.encode(Self.image, text: [PNGText(keyword: "a", text: "😀")])
        for length in 0..<file.count {
            #expect(throws: ImageError.self) { try PNGReader.decode(Array(file.prefix(length))) }
            #expect(throws: ImageError.self) { try PNGReader.text(in: Array(file.prefix(length))) }
        }
    }
}

/// Whether a message fits one line and says something.
func isOneLine(_ message: String) -> Bool { !message.isEmpty && !message.contains(where: \.isNewline) }
