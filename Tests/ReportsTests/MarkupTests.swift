import TestSupport
import Testing

@testable import Media
@testable import Reports

@Suite struct MarkupTests {
    @Test(arguments: ["<&\"'>", "a < b && c > \"d\"", "&amp; &#39;", "]]>", "kanji 漢字, emoji 🙂", "tab\tand\nline"])
    func `what is written is what is read`(text: String) throws {
        var markup = Markup()
        markup.element("a", ["b": text], text: text)
        let node = try XMLNode.parse(markup.text)
        #expect(node.attributes["b"] == text)
        #expect(node.text == text)
    }

    @Test func `characters that XML cannot hold become U+FFFD`() {
        #expect(Markup.escape("a\u{0}\u{1B}\u{FFFE}b") == "a\u{FFFD}\u{FFFD}\u{FFFD}b")
    }

    @Test(arguments: [
        "<a><b></a></b>", "<a>", "<a/><b/>", "<a b=c/>", "<a>&x;</a>", "<a b=\"1\" b=\"2\"/>", "<a>& </a>",
    ])
    func `the tests' reader refuses what is not well formed`(text: String) {
        #expect(throws: XMLNode.Fault.self) { try XMLNode.parse(text) }
    }

    @Test func `a text that is too wide ends in an ellipsis and fits`() {
        let long = String(repeating: "omnicache W ", count: 20)
        let short = TextWidth.fitting(long, width: 200, size: 12)
        #expect(short.hasSuffix("…"))
        #expect(TextWidth.of(short, size: 12) <= 200)
        #expect(TextWidth.of(short.dropLast() + "nicache", size: 12) > 200)
        #expect(TextWidth.fitting("short", width: 200, size: 12) == "short")
    }
}

/// Reads base 64, the slow way.
func decodeBase64(_ text: String) throws -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bits = try text.filter { $0 != "=" }.flatMap { character -> [Int] in
        let value = try #require(alphabet.firstIndex(of: character))
        return (0..<6).map { value >> (5 - $0) & 1 }
    }
    return stride(from: 0, through: bits.count - 8, by: 8).map { start in
        bits[start..<start + 8].reduce(0) { $0 << 1 | UInt8($1) }
    }
}
