import Testing

@testable import Media

/// Clips in YUV4MPEG2.
@Suite struct Y4MTests {
    /// The bytes behind the header's line.
    private func body(_ file: [UInt8]) throws -> [UInt8] {
        Array(file[(try #require(file.firstIndex(of: 0x0A)) + 1)...])
    }

    @Test func `the header gives size, rate and colours, and stays within what ffmpeg reads`() {
        let clip = ClipTests.clip(3, rate: 24)
        let file = Y4M.encode(clip)
        #expect(file.starts(with: "YUV4MPEG2 W7 H5 F24:1 Ip A1:1 C444\nFRAME\n".utf8))
        #expect(file.count == 35 + 3 * (6 + 3 * 35))
        let gray = ClipTests.clip(2, channels: 1)
        #expect(Y4M.encode(gray).starts(with: "YUV4MPEG2 W7 H5 F8:1 Ip A1:1 C444\nFRAME\n".utf8))
        let longest =
            "YUV4MPEG2 W16384 H16384 F120:1 Ip A1:1 C444 XOMNICACHE=99999,\(String(repeating: "0", count: 32))\n"
        #expect(longest.utf8.count <= Y4M.mostHeaderBytes)
    }

    @Test func `every frame is its planes of BT.601 in limited range, and comes back within two levels`() throws {
        let clip = ClipTests.clip(4)
        let bytes = try body(Y4M.encode(clip))
        for (index, frame) in clip.frames.enumerated() {
            let start = index * (6 + 3 * 35)
            #expect(bytes[start..<start + 6].elementsEqual("FRAME\n".utf8))
            let planes = (0..<3).map { Array(bytes[(start + 6 + $0 * 35)...].prefix(35)) }
            for place in 0..<35 {
                let (red, green, blue) = (
                    Double(frame.pixels[3 * place]), Double(frame.pixels[3 * place + 1]),
                    Double(frame.pixels[3 * place + 2])
                )
                let luma = 0.299 * red + 0.587 * green + 0.114 * blue
                let expected = [
                    16 + 219 * luma / 255, 128 + 112 * (blue - luma) / (1 - 0.114) / 255,
                    128 + 112 * (red - luma) / (1 - 0.299) / 255,
                ]
                for (plane, value) in zip(planes, expected) { #expect(abs(Double(plane[place]) - value) <= 0.5001) }
                let (y, cb, cr) = (
                    (Double(planes[0][place]) - 16) / 219, (Double(planes[1][place]) - 128) / 224,
                    (Double(planes[2][place]) - 128) / 224
                )
                let back = [
                    y + 1.402 * cr, y - 1.772 * 0.114 / 0.587 * cb - 1.402 * 0.299 / 0.587 * cr, y + 1.772 * cb,
                ]
                for (value, level) in zip(back, [red, green, blue]) { #expect(abs(255 * value - level) <= 2) }
            }
        }
    }

    @Test(
        arguments: [
            ([0, 0, 0], [16, 128, 128]), ([255, 255, 255], [235, 128, 128]), ([255, 0, 0], [81, 90, 240]),
        ]
            as [([UInt8], [UInt8])])
    func `black, white and red are the standard's`(colour: [UInt8], expected: [UInt8]) throws {
        #expect(
            try body(Y4M.encode(Clip(Image(width: 1, height: 1, channels: 3, pixels: colour)))).suffix(3)
                == expected[...])
        guard Set(colour).count == 1 else { return }
        let gray = Clip(Image(width: 1, height: 1, channels: 1, pixels: [colour[0]]))
        #expect(try body(Y4M.encode(gray)).suffix(3) == expected[...])
    }

    @Test func `a note is read back from a whole file only`() throws {
        let directory = try AtomicFileTests.Directory()
        let path = "\(directory.path)/clip.y4m"
        func note(_ bytes: [UInt8]) throws -> String? {
            try AtomicFile.write(bytes, to: path, onConflict: .replace)
            return ImageProbe.y4mNote(path: path)
        }
        for channels in [1, 3] {
            let file = Y4M.encode(ClipTests.clip(3, channels: channels), note: "0123abcd")
            #expect(try note(file) == "0123abcd")
            // A file that ends between two frames is a valid Y4M, but not the whole one.
            let frame = 6 + 3 * 35
            for bytes in [Array(file.dropLast(frame)), Array(file.dropLast()), file + [0], Array(file.prefix(20)), []] {
                #expect(try note(bytes) == nil)
            }
        }
        #expect(try note(Y4M.encode(ClipTests.clip())) == nil)
        #expect(try note(PNGWriter.encode(ClipTests.clip())) == nil)
    }
}
