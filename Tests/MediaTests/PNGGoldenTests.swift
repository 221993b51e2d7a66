import Media
import Testing

/// Files written by Pillow 13.0.0: `Image.fromarray(pixels, mode).save(f, "PNG", pnginfo=info)`.
@Suite struct PNGGoldenTests {
    /// 3x2 RGB, with info.add_text("Title", "café"), info.add_text("Long", "abc" * 20, zip=True) and
    /// info.add_itxt("Emoji", "😀!", zip=True).
    static let rgb = bytes(
        hex: """
            89504e470d0a1a0a0000000d49484452000000030000000208020000001216f14d0000000a744558745469746c6500636166e900
            ab337a000000147a5458744c6f6e670000789c4b4c4a4e24170100bcbe16f989feae960000001769545874456d6f6a6900010000
            00789cfb307f468322000a1a02c9700d04f60000001c49444154789c63e43cda6862626c6c6cc2b8245edad8c4c4d8d818003546
            04d956f15c710000000049454e44ae426082
            """)

    static let gray = bytes(
        hex: """
            89504e470d0a1a0a0000000d4948445200000003000000020800000000b81f39c60000001049444154789c63e4dcb387c5c4e43d
            000a6602dedfc3de840000000049454e44ae426082
            """)

    static let rgba = bytes(
        hex: """
            89504e470d0a1a0a0000000d494844520000000200000002080600000072b60d240000001b49444154789c63e43cda68fbe1fdfb
            f72cf7efdfbb77effd87f70062c40c75da24183d0000000049454e44ae426082
            """)

    @Test func `Pillow's RGB file has Pillow's pixels`() throws {
        let pixels: [UInt8] = [9, 197, 129, 61, 249, 180, 112, 44, 232, 164, 95, 27, 215, 147, 79, 10, 198, 130]
        #expect(try PNGReader.decode(Self.rgb) == Image(width: 3, height: 2, channels: 3, pixels: pixels))
    }

    @Test func `Pillow's gray file has Pillow's pixels`() throws {
        let pixels: [UInt8] = [9, 197, 129, 61, 249, 180]
        #expect(try PNGReader.decode(Self.gray) == Image(width: 3, height: 2, channels: 1, pixels: pixels))
    }

    // a = [9,197,129,61, 249,180,112,44, 232,164,95,27, 215,147,79,10]
    // [round((a[i+k] * a[i+3] + b * (255 - a[i+3])) / 255) for i in range(0, 16, 4) for k in range(3)]
    @Test func `alpha is laid over the background`() throws {
        let overWhite: [UInt8] = [196, 241, 225, 254, 242, 230, 253, 245, 238, 253, 251, 248]
        #expect(try PNGReader.decode(Self.rgba).pixels == overWhite)
        let overBlack: [UInt8] = [2, 47, 31, 43, 31, 19, 25, 17, 10, 8, 6, 3]
        #expect(try PNGReader.decode(Self.rgba, background: .black).pixels == overBlack)
    }

    @Test func `tEXt, zTXt and compressed iTXt are read`() throws {
        let texts = [
            PNGText(keyword: "Title", text: "café"),
            PNGText(keyword: "Long", text: String(repeating: "abc", count: 20)),
            PNGText(keyword: "Emoji", text: "😀!", international: true),
        ]
        #expect(try PNGReader.text(in: Self.rgb) == texts)
        #expect(try PNGReader.text(in: Self.gray).isEmpty)
    }
}
