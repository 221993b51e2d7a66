import Glibc
import Testing

@testable import Media

/// Looking at image files without reading their pixels.
@Suite struct ImageProbeTests {
    private let directory: AtomicFileTests.Directory
    private let image = TestImages.noise(width: 40, height: 30, channels: 3)

    init() throws {
        directory = try AtomicFileTests.Directory()
    }

    private func write(_ bytes: [UInt8]) throws -> String {
        let path = "\(directory.path)/image"
        try AtomicFile.write(bytes, to: path, onConflict: .replace)
        return path
    }

    @Test(arguments: [0, 1, 1000, 200_000])
    func `the texts of a PNG are those that its reader finds, however long`(length: Int) throws {
        let texts = [
            PNGText(keyword: "Software", text: "omnicache"),
            PNGText(keyword: "long", text: String(repeating: "é", count: length), international: true),
        ]
        let file = try PNGWriter.encode(image, text: texts)
        #expect(try ImageProbe.pngTexts(path: write(file)) == PNGReader.text(in: file))
    }

    @Test func `a PNG that is cut anywhere is not whole`() throws {
        let file = try PNGWriter.encode(image, text: [PNGText(keyword: "Software", text: "omnicache")])
        for count in Array(stride(from: 0, to: file.count, by: 97)) + [file.count - 1] {
            #expect(ImageProbe.pngTexts(path: try write(Array(file.prefix(count)))) == nil, "\(count) bytes")
        }
        #expect(ImageProbe.pngTexts(path: try write(file + [0])) == nil)
        #expect(ImageProbe.pngTexts(path: try write(file)) != nil)
    }

    @Test func `the comments of a PPM are those that its reader finds, and one that is cut is not whole`() throws {
        let file = PPM.encode(image, comment: "one\ntwo")
        #expect(ImageProbe.ppmComments(path: try write(file)) == ["one", "two"])
        for bytes in [Array(file.dropLast()), file + [0], Array(file.prefix(5)), []] {
            #expect(ImageProbe.ppmComments(path: try write(bytes)) == nil)
        }
    }

    @Test func `a file of the other format, a directory and nothing at all are no images`() throws {
        let path = try write(PPM.encode(image))
        #expect(ImageProbe.pngTexts(path: path) == nil)
        #expect(ImageProbe.ppmComments(path: try write(PNGWriter.encode(image))) == nil)
        for path in [directory.path, "\(directory.path)/none"] {
            #expect(ImageProbe.pngTexts(path: path) == nil && ImageProbe.ppmComments(path: path) == nil)
        }
    }
}
