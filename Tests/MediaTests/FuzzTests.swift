import TestSupport
import Testing

@testable import Media

@Suite struct FuzzTests {
    /// Changes up to four places of `bytes`: a bit, a byte, a removed, doubled or extreme stretch.
    static func mutated(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...8, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = .random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            default: for i in place..<end { bytes[i] = Bool.random(using: &generator) ? 0 : 255 }
            }
        }
        return bytes
    }

    /// Writes the right checksum into every chunk that is found, so that mutations reach what lies behind it.
    static func withChecksums(_ file: [UInt8]) -> [UInt8] {
        var file = file
        var position = PNGChunk.signature.count
        while position + 12 <= file.count {
            let length = Int(UInt32(bigEndian: file[position..<position + 4]))
            guard length <= file.count - position - 12 else { break }
            let end = position + 8 + length
            file.replaceSubrange(end..<end + 4, with: Zlib.crc32(file[position + 4..<end]).bigEndianBytes)
            position = end + 4
        }
        return file
    }

    /// What came of decoding: an outcome that is no ``ImageError`` fails the test.
    static func outcome(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return true
        } catch {
            #expect(error is ImageError)
            #expect(isOneLine("\(error)"))
            return false
        }
    }

    @Test(arguments: [false, true])
    func `a damaged PNG is an image or an error, never a crash`(repairsChecksums: Bool) throws {
        let text = [
            PNGText(keyword: "parameters", text: "Steps: 50"),
            PNGText(keyword: "omnicache", text: String(repeating: "{\"é\": 1}", count: 400), international: true),
        ]
        let seeds = [
            PNGGoldenTests.rgb, PNGGoldenTests.rgba,
            try PNGWriter.encode(TestImages.ramp(width: 7, height: 5, channels: 3), text: text),
        ]
        var generator = SplitMix64(seed: 20_260_101)
        var decoded = 0
        let count = 3000
        for index in 0..<count {
            var file = Self.mutated(seeds[index % seeds.count], using: &generator)
            if repairsChecksums { file = Self.withChecksums(file) }
            if Self.outcome({ _ = try PNGReader.decode(file) }) { decoded += 1 }
            _ = Self.outcome { _ = try PNGReader.text(in: file) }
        }
        // Without the right checksums nearly nothing decodes; with them something must, or the test reaches too little.
        #expect(repairsChecksums ? decoded > count / 20 : decoded < count / 20)
    }

    @Test func `a damaged PPM is an image or an error, never a crash`() {
        let seeds = [
            PPM.encode(TestImages.ramp(width: 3, height: 2, channels: 3), comment: "0123abcd"),
            PPM.encode(TestImages.ramp(width: 12, height: 1, channels: 1)),
        ]
        var generator = SplitMix64(seed: 7)
        var decoded = 0
        for index in 0..<3000 {
            let file = Self.mutated(seeds[index % seeds.count], using: &generator)
            if Self.outcome({ _ = try PPM.decode(file) }) { decoded += 1 }
            _ = Self.outcome { _ = try PPM.comments(in: file) }
        }
        #expect((150..<2850).contains(decoded))
    }
}
