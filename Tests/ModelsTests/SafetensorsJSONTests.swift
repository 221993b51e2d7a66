import Testing

@testable import Models

@Suite struct SafetensorsJSONTests {
    private func parse(_ text: String) throws(JSONProblem) -> JSONValue {
        try StrictJSON.parse(Array(text.utf8))
    }

    @Test func `values keep their kind and members their order`() throws {
        let value = try parse(#" {"b": [1, -2, 1.5, 1e2, 9223372036854775808], "a": {"x": true, "y": null}, "": ""} "#)
        let numbers: [JSONValue] = [.integer(1), .integer(-2), .number(1.5), .number(100), .number(0x1p63)]
        #expect(
            value
                == .object([
                    .init(key: "b", value: .array(numbers)),
                    .init(
                        key: "a", value: .object([.init(key: "x", value: .bool(true)), .init(key: "y", value: .null)])),
                    .init(key: "", value: .string("")),
                ]))
    }

    @Test func `escapes stand for their characters`() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00é""#) == .string("\"\\/\u{8}\u{C}\n\r\té😀é"))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", ".5", "1e",
        "+1", "NaN", "Infinity", "tru", "truee", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"\n\"", "1 2", "{} {}", "// c\n1", "'a'", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}",
    ])
    func `what is not JSON, or says a thing twice, is refused`(text: String) {
        #expect(throws: JSONProblem.self) { try parse(text) }
    }

    @Test(arguments: [127, 128, 129, 100_000])
    func `nesting is bounded`(depth: Int) {
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(((try? parse(text)) != nil) == (depth <= 128))
    }
}

extension SafetensorsJSONTests {
    @Test func `infinities are numbers only where they are asked for`() throws {
        let text = Array(#"[Infinity, -Infinity, -1]"#.utf8)
        let expected = JSONValue.array([.number(.infinity), .number(-.infinity), .integer(-1)])
        #expect(try StrictJSON.parse(text, allowsNonFinite: true) == expected)
        #expect(throws: JSONProblem.self) { try StrictJSON.parse(text) }
        #expect(throws: JSONProblem.self) { try StrictJSON.parse(Array("[-I]".utf8), allowsNonFinite: true) }
    }
}
