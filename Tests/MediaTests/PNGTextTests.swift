import Sampling
import Testing

@testable import Media

@Suite struct PNGTextTests {
    static let image = TestImages.flat(0, width: 1, height: 1, channels: 1)

    static let texts = [
        "", "Steps: 50, Sampler: DDIM, CFG scale: 4, Seed: 7", "two\nlines", "café ÿ \u{A0}", "tab\tand\r\nreturn",
        "😀 smile, naïve e\u{301}", String(repeating: "long ", count: 2000), String(repeating: "läng😀 ", count: 2000),
        "\u{85}\u{7F}\u{9F}",
    ]

    @Test(arguments: texts, [false, true])
    func `a text comes back scalar by scalar`(text: String, international: Bool) throws {
        let entry = PNGText(keyword: "Bildtext ñ", text: text, international: international)
        let back = try PNGReader.text(in: PNGWriter.encode(Self.image, text: [entry]))
        #expect(back == [entry])
        #expect(back.first.map { Array($0.text.utf8) } == Array(text.utf8))
    }

    @Test func `texts keep their order and may share a keyword`() throws {
        let entries = ["z", "a", "z"].enumerated().map { PNGText(keyword: $1, text: "\($0)") }
        #expect(try PNGReader.text(in: PNGWriter.encode(Self.image, text: entries)) == entries)
    }

    @Test func `Latin-1 is stored as tEXt, everything else as iTXt`() {
        #expect(!PNGText(keyword: "a", text: "café\n").isInternational)
        #expect(PNGText(keyword: "a", text: "€").isInternational)
        #expect(PNGText(keyword: "a", text: "a\tb").isInternational)
        #expect(PNGText(keyword: "a", text: "plain", international: true).isInternational)
    }

    @Test func `long international text is compressed, short is not`() throws {
        let short = try PNGWriter.encode(Self.image, text: [PNGText(keyword: "a", text: "😀")])
        #expect(short.contains("😀".utf8))
        let text = String(repeating: "😀", count: 4000)
        let long = try PNGWriter.encode(Self.image, text: [PNGText(keyword: "a", text: text)])
        #expect(long.count < 500)
    }

    @Test(arguments: [
        "", String(repeating: "k", count: 80), " lead", "trail ", "two  spaces", "tab\t", "no\u{0}nul", "€", "a\u{A0}b",
    ])
    func `a keyword that breaks the rules is refused`(keyword: String) {
        #expect {
            try PNGWriter.encode(Self.image, text: [PNGText(keyword: keyword, text: "x")])
        } throws: { error in
            guard case .unstorableText(keyword, _) = error as? ImageError else { return false }
            return isOneLine("\(error)")
        }
    }

    @Test func `79 characters make a keyword`() throws {
        let entry = PNGText(keyword: String(repeating: "k", count: 79), text: "x")
        #expect(try PNGReader.text(in: PNGWriter.encode(Self.image, text: [entry])) == [entry])
    }

    @Test func `a text with NUL is refused`() {
        let error = ImageError.unstorableText(keyword: "a", reason: "the text holds the character NUL")
        #expect(throws: error) { try PNGWriter.encode(Self.image, text: [PNGText(keyword: "a", text: "x\u{0}y")]) }
    }
}
