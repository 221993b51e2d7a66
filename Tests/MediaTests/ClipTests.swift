import Testing

@testable import Media

/// Clips in animated PNG.
@Suite struct ClipTests {
    static func clip(_ count: Int = 5, channels: Int = 3, rate: Int = 8) -> Clip {
        Clip(
            (0..<count).map { TestImages.noise(width: 7, height: 5, channels: channels, seed: $0) },
            framesPerSecond: rate)
    }

    /// The chunks of a file.
    static func chunks(_ file: [UInt8]) throws -> [(String, [UInt8])] {
        var chunks = try PNGChunks(file)
        var all: [(String, [UInt8])] = []
        while let chunk = try chunks.next() { all.append((chunk.kind.name, Array(chunk.data))) }
        return all
    }

    @Test(arguments: [2, 3, 16], [1, 3])
    func `what was written reads back: every frame, and the rate`(count: Int, channels: Int) throws {
        for rate in [1, 8, 24, 120] {
            let clip = Self.clip(count, channels: channels, rate: rate)
            let file = try PNGWriter.encode(clip)
            let read = try PNGReader.clip(file)
            #expect(read == clip)
            #expect(try PNGWriter.encode(read) == file)
            let announced = try PNGReader.frames(of: file)
            #expect(announced == (count, rate))
        }
    }

    @Test func `a reader that knows no animation sees the first frame, and all texts`() throws {
        let clip = Self.clip()
        let texts = [PNGText(keyword: "parameters", text: "Steps: 50"), PNGText(keyword: "face", text: "😀")]
        let file = try PNGWriter.encode(clip, text: texts)
        #expect(try PNGReader.decode(file) == clip.frames[0])
        #expect(try PNGReader.text(in: file).map(\.text) == texts.map(\.text))
        // So it does without the chunks that it does not know.
        let known = try Self.chunks(file).filter { !["acTL", "fcTL", "fdAT", "IEND"].contains($0.0) }
        #expect(try PNGMalformedTests.file(known) == PNGWriter.encode(clip.frames[0], text: texts))
    }

    @Test func `a still is a PNG without animation, and reads back as a still`() throws {
        let picture = TestImages.ramp(width: 4, height: 3, channels: 3)
        #expect(Clip([picture], framesPerSecond: 24) == Clip(picture))
        #expect(try PNGWriter.encode(Clip(picture)) == PNGWriter.encode(picture))
        let read = try PNGReader.clip(PNGWriter.encode(picture))
        #expect(read == Clip(picture) && !read.moves && read.framesPerSecond == nil)
        #expect(try PNGReader.frames(of: PNGWriter.encode(picture)) == (1, nil))
    }

    @Test func `the chunks are those of the standard, numbered from 0, with delays of 1 / rate`() throws {
        let file = try PNGWriter.encode(Self.clip(3, rate: 25), text: [PNGText(keyword: "a", text: "b")])
        let chunks = try Self.chunks(file)
        #expect(
            chunks.map(\.0)
                == ["IHDR", "acTL", "tEXt", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"])
        // Three frames, for ever.
        #expect(chunks[1].1 == bytes(hex: "00000003 00000000"))
        // Number, 7 x 5 at 0, 0, 1 / 25 s, neither disposed of nor blended.
        #expect(chunks[3].1 == bytes(hex: "00000000 00000007 00000005 00000000 00000000 0001 0019 00 00"))
        let numbers = chunks.filter { ["fcTL", "fdAT"].contains($0.0) }.map { $0.1.prefix(4) }
        #expect(numbers == (0..<5).map { [0, 0, 0, $0] })
    }

    /// A kind of damage and a phrase of the message that it brings.
    private static let damages: [(String, @Sendable (inout [(String, [UInt8])]) -> Void, String)] = [
        ("a frame more is announced", { $0[1].1[3] = 4 }, "4 frames are announced, and 3 are there"),
        ("no frame is announced", { $0[1].1[3] = 0 }, "0 frames"),
        ("two announcements", { $0.insert($0[1], at: 1) }, "wrong place"),
        ("an announcement behind the pixels", { $0.insert($0.remove(at: 1), at: 3) }, "wrong place"),
        ("an announcement that is too short", { $0[1].1.removeLast() }, "7 bytes, not 8"),
        ("two frames in the wrong order", { $0.swapAt(5, 7) }, "number is 4, not 2"),
        ("a frame that is missing", { $0.removeSubrange(4..<6) }, "number is 3, not 1"),
        (
            "a frame without pixels",
            {
                $0[4].1[3] = 1; $0.remove(at: 5); $0[5].1[3] = 2
            }, "no pixels"
        ),
        ("no control of the first frame", { $0.remove(at: 2) }, "none of them"),
        (
            "pixels of no frame",
            {
                $0[5].0 = "tEXT"; $0[4].0 = "tEXT"
            }, "number is 3, not 1"
        ),
        ("a frame outside the picture", { $0[4].1[15] = 1 }, "not within the picture"),
        ("a part of the picture", { $0[4].1[7] = 6 }, "smaller than the picture"),
        ("an unknown way to blend", { $0[4].1[25] = 2 }, "dispose or to blend"),
        ("an uneven rate", { $0[4].1[23] = 9 }, "steady"),
        ("a delay that is no rate", { for place in [2, 4, 6] { $0[place].1[21] = 3 } }, "steady"),
        ("a control that is too long", { $0[4].1.append(0) }, "27 bytes, not 26"),
        ("damaged pixels", { $0[5].1[9] ^= 0x55 }, "damaged"),
        (
            "pixels of a larger picture",
            { $0[5].1 = [0, 0, 0, 2] + PNGMalformedTests.deflated([UInt8](repeating: 0, count: 111)) },
            "more than 110 bytes"
        ),
    ]

    @Test func `damaged animations give documented errors, and their first frame all the same`() throws {
        let file = try PNGWriter.encode(Self.clip(3))
        for (name, damage, phrase) in Self.damages {
            var chunks = try Self.chunks(file).filter { $0.0 != "IEND" }
            damage(&chunks)
            let damaged = PNGMalformedTests.file(chunks)
            let error = #expect(throws: ImageError.self, "\(name)") { try PNGReader.clip(damaged) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(phrase), "\(name): \(error.map { "\($0)" } ?? "")")
            #expect(try PNGReader.decode(damaged) == Self.clip().frames[0], "\(name)")
        }
        var wrong = file
        wrong[41] ^= 1
        #expect(throws: ImageError.self) { try PNGReader.clip(wrong) }
        for count in 0..<file.count {
            #expect(throws: ImageError.self) { try PNGReader.clip(Array(file.prefix(count))) }
        }
    }

    @Test func `too many pixels are refused before they are decoded`() throws {
        let header = PNGMalformedTests.header(width: 16384, height: 16384)
        let control = PNGFrameControl(sequence: 0, width: 16384, height: 16384, framesPerSecond: 8).bytes
        let pixels = PNGMalformedTests.deflated([0])
        var second = control
        second[3] = 1
        let file = PNGMalformedTests.file([
            header, ("acTL", PNGAnimationControl(frames: 2).bytes), ("fcTL", control), ("IDAT", pixels),
            ("fcTL", second), ("fdAT", [0, 0, 0, 2] + pixels),
        ])
        #expect(throws: ImageError.tooLarge(what: "2 frames of 16384x16384 pixels", limit: "268435456 pixels")) {
            try PNGReader.clip(file)
        }
    }

    @Test func `clips stand in a grid frame by frame`() throws {
        let clips = (0..<3).map { first in
            Clip((0..<4).map { TestImages.noise(width: 5, height: 6, channels: 3, seed: 10 * first + $0) })
        }
        let grid = try ImageGrid.arrange(clips, columns: 2)
        #expect(grid.frames.count == 4 && grid.framesPerSecond == Clip.usualRate)
        for (index, frame) in grid.frames.enumerated() {
            #expect(try frame == ImageGrid.arrange(clips.map { $0.frames[index] }, columns: 2))
        }
        #expect(throws: ImageError.shapesDiffer(first: "4 frames", second: "1 frames")) {
            try ImageGrid.arrange([clips[0], Clip(clips[1].frames[0])], columns: 2)
        }
    }
}
