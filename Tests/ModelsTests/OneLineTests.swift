import Testing

@testable import Models

@Suite struct OneLineTests {
    @Test(arguments: [
        ("plain text, été, 猫", "plain text, été, 猫"), ("a\nb\tc", "a\\u{a}b\\u{9}c"), ("\u{1B}[31m", "\\u{1b}[31m"),
        ("\u{7F}\u{9B}1m", "\\u{7f}\\u{9b}1m"), ("a\u{202E}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
        ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"), ("\u{FEFF}", "\\u{feff}"),
        ("\u{1F468}\u{200D}\u{1F469}", "\u{1F468}\u{200D}\u{1F469}"),
    ])
    func `what a person reads steers no terminal`(text: String, shown: String) {
        #expect(text.onOneLine == shown)
    }

    @Test func `line breaks of a table stay, what its cells hold is escaped`() {
        #expect("a\u{1B}b\nc\u{9B}\n".onItsLines == "a\\u{1b}b\nc\\u{9b}\n")
    }

    @Test func `JSON for terminals says the same without control characters`() {
        #expect(#"{"a":"x\#u{9B}y\#u{202E}\#u{7F}"}"#.jsonForTerminals == #"{"a":"x\u009by\u202e\u007f"}"#)
        #expect("{\n \"é\": 1\n}".jsonForTerminals == "{\n \"é\": 1\n}")
    }
}
