import Testing

@testable import Media

@Suite struct PNGRoundTripTests {
    static let sizes = [(1, 1), (1, 9), (9, 1), (3, 7), (64, 64), (257, 5)]

    @Test(arguments: sizes, [1, 3])
    func `a decoded PNG has the pixels that were encoded`(size: (Int, Int), channels: Int) throws {
        for image in [
            TestImages.noise(width: size.0, height: size.1, channels: channels),
            TestImages.ramp(width: size.0, height: size.1, channels: channels),
            TestImages.flat(77, width: size.0, height: size.1, channels: channels),
        ] {
            #expect(try PNGReader.decode(PNGWriter.encode(image)) == image)
        }
    }

    @Test(arguments: PNGFilter.allCases, [1, 2, 3, 4])
    func `every filter undoes itself`(filter: PNGFilter, step: Int) {
        let row = TestImages.noise(width: step, height: 5, channels: 1, seed: 3).pixels
        let above = TestImages.noise(width: step, height: 5, channels: 1, seed: 9).pixels
        var filtered = [UInt8](repeating: 0, count: row.count)
        row.withUnsafeBufferPointer { row in
            above.withUnsafeBufferPointer { above in
                filtered.withUnsafeMutableBufferPointer { target in
                    filter.apply(row, previous: above, step: step, into: target)
                }
            }
        }
        #expect((filtered == row) == (filter == .none))
        above.withUnsafeBufferPointer { above in
            filtered.withUnsafeMutableBufferPointer { filter.undo($0, previous: above, step: step) }
        }
        #expect(filtered == row)
    }

    // Left, up, up-left; Paeth's estimate left + up - up-left is as near to up-left as to the winner (PNG, 9.4).
    @Test(arguments: [[80, 110, 100, 80], [110, 80, 100, 80], [90, 110, 100, 100], [7, 7, 7, 7]] as [[UInt8]])
    func `Paeth's ties go to left, then up`(neighbours: [UInt8]) {
        let previous = [neighbours[2], neighbours[1]]
        var row = [neighbours[0] &- neighbours[2], 0]
        previous.withUnsafeBufferPointer { previous in
            row.withUnsafeMutableBufferPointer { PNGFilter.paeth.undo($0, previous: previous, step: 1) }
        }
        #expect(row == [neighbours[0], neighbours[3]])
    }

    @Test func `each row takes the filter with the smallest differences`() throws {
        // Steps of 7 to the right and 5 down: the first row has no other neighbour, the others do best with the one above.
        let file = try PNGWriter.encode(TestImages.ramp(width: 20, height: 9, channels: 3))
        var chunks = try PNGChunks(file)
        var stream: ArraySlice<UInt8> = []
        while let chunk = try chunks.next() {
            if chunk.kind == .data { stream = chunk.data }
        }
        let filtered = try Zlib.inflate(stream, limit: 9 * 61)
        let filters = stride(from: 0, to: filtered.count, by: 61).map { PNGFilter(rawValue: filtered[$0]) }
        #expect(filters == [.sub] + [PNGFilter?](repeating: .up, count: 8))
    }

    @Test func `the chunks are IHDR, the texts, IDAT and IEND`() throws {
        let image = TestImages.ramp(width: 2, height: 3, channels: 3)
        let texts = [PNGText(keyword: "parameters", text: "Steps: 50"), PNGText(keyword: "face", text: "😀")]
        let file = try PNGWriter.encode(image, text: texts)
        var chunks = try PNGChunks(file)
        var names: [String] = []
        while let chunk = try chunks.next() { names.append(chunk.kind.name) }
        #expect(names == ["IHDR", "tEXt", "iTXt", "IDAT", "IEND"])
        // Signature; 13 bytes of header: width 2, height 3, 8 bits, RGB, no interlace; their checksum.
        // python3 -c "import zlib; print(hex(zlib.crc32(bytes.fromhex('49484452000000020000000308020000 00'))))"
        #expect(file.prefix(29) == bytes(hex: "89504e470d0a1a0a 0000000d 49484452 00000002 00000003 0802000000")[...])
        #expect(file[29..<33] == bytes(hex: "368849d6")[...])
        #expect(file.suffix(12) == bytes(hex: "00000000 49454e44 ae426082")[...])
    }

    @Test func `the same image makes the same bytes`() throws {
        let image = TestImages.noise(width: 31, height: 17, channels: 3)
        let text = [
            PNGText(keyword: "a", text: "b"), PNGText(keyword: "a", text: String(repeating: "é✓", count: 2000)),
        ]
        #expect(try PNGWriter.encode(image, text: text) == PNGWriter.encode(image, text: text))
    }

    @Test func `a smooth picture takes a tenth of its pixels' bytes`() throws {
        let image = TestImages.ramp(width: 128, height: 128, channels: 3)
        #expect(try PNGWriter.encode(image).count < image.pixels.count / 10)
    }
}
