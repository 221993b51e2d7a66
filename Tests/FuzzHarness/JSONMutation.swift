import TestSupport

/// Damage that knows JSON: values of another type, extreme numbers, hostile texts, keys that are gone, doubled or
/// swapped. One time in four the damage is in bytes, as a broken disk makes it.
public struct JSONMutation {
    private let bytes: ByteMutation

    /// Damage with keys and values that mean something to the reader, written as in JSON.
    public init(words: [String] = []) {
        bytes = ByteMutation(words: words + ["{", "}", "[", "]", ":", ",", "\"", "\\u0000", "null", "1e999", "-"])
        self.words = words.map { Array($0.utf8) }
    }

    private let words: [[UInt8]]

    private static let hostile: [[UInt8]] = [
        "null", "true", "false", "0", "-0", "-1", "1", "2", "0.5", "5.0", "1e3", "1e308", "-1e308", "1e999", "1e-320",
        "255", "256", "65536", "2147483648", "4294967295", "4294967296", "9007199254740993", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "1" + String(repeating: "0", count: 400), "NaN", "Infinity",
        "-Infinity", "01", "+1", ".5", "0x10", "''", "\"\"", "\" \"", "\"null\"", "\"5\"", "\"\\u0000\"",
        "\"a\\u0000b\"", "\"\\u001b[31mred\\u0007\"", "\"two\\nlines\"", "\"\\u202e\"", "\"\\ud800\"",
        "\"../../etc/x\"",
        "\"/dev/zero\"", "\"-o\"", "\"é\"", "[]", "{}", "[null]", "[[]]", "[0]", "[1, 2, 3]", "[\"a\"]", "{\"a\": 1}",
        "{\"\": null}", "\"\u{FEFF}\"", "\"\u{7F}\u{85}\"",
    ].map { Array($0.utf8) }

    /// Changes one to three places.
    public func mutated(_ text: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        if Int.random(in: 0..<4, using: &generator) == 0 { return bytes.mutated(text, using: &generator) }
        var text = text
        for _ in 0..<([1, 1, 2, 3].randomElement(using: &generator) ?? 1) { change(&text, using: &generator) }
        return text
    }

    private func change(_ text: inout [UInt8], using generator: inout SplitMix64) {
        let spans = JSONSpans(text)
        guard let value = spans.values.randomElement(using: &generator) else {
            bytes.change(&text, using: &generator)
            return
        }
        switch Int.random(in: 0..<12, using: &generator) {
        case 0..<4:
            text.replaceSubrange(value, with: Self.hostile.randomElement(using: &generator) ?? [])
        case 4:
            text.replaceSubrange(value, with: Self.large(using: &generator))
        case 5:
            let number = spans.values.filter { Self.isNumber(text[$0.lowerBound]) }.randomElement(using: &generator)
            if let number { text.replaceSubrange(number, with: Self.neighbour(of: text[number], using: &generator)) }
        case 6:
            guard let other = spans.values.randomElement(using: &generator) else { return }
            text.replaceSubrange(value, with: Array(text[other]))
        case 7:
            guard let member = spans.members.randomElement(using: &generator) else { return }
            remove(member, from: &text)
        case 8:
            guard let member = spans.members.randomElement(using: &generator) else { return }
            text.insert(contentsOf: Array(text[member]) + [UInt8(ascii: ",")], at: member.lowerBound)
        case 9:
            guard let key = spans.keys.randomElement(using: &generator) else { return }
            let other = spans.keys.randomElement(using: &generator).map { Array(text[$0]) } ?? []
            text.replaceSubrange(key, with: Bool.random(using: &generator) ? other : Self.hostileKey(using: &generator))
        case 10:
            // Within a text or a number, so that it stays one.
            var part = Array(text[value])
            bytes.change(&part, using: &generator)
            text.replaceSubrange(value, with: part)
        default:
            text.replaceSubrange(value, with: words.randomElement(using: &generator) ?? [])
        }
    }

    /// Removes a member with the comma before or after it.
    private func remove(_ member: Range<Int>, from text: inout [UInt8]) {
        var (start, end) = (member.lowerBound, member.upperBound)
        while end < text.count, text[end] <= 0x20 { end += 1 }
        if end < text.count, text[end] == UInt8(ascii: ",") {
            end += 1
        } else {
            while start > 0, text[start - 1] <= 0x20 { start -= 1 }
            if start > 0, text[start - 1] == UInt8(ascii: ",") { start -= 1 }
        }
        text.removeSubrange(start..<end)
    }

    /// Deep nesting, long texts, long lists.
    private static func large(using generator: inout SplitMix64) -> [UInt8] {
        let count = [10, 60, 70, 500, 3000, 20_000].randomElement(using: &generator) ?? 10
        func times(_ text: String) -> String { String(repeating: text, count: count) }
        let text: String =
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: times("[") + times("]")
            case 1: times("{\"a\":") + "0" + times("}")
            case 2: "\"" + times("x") + "\""
            case 3: "\"" + times("\\u001b") + "\""
            case 4: "[0" + times(",1") + "]"
            default: times("9")
            }
        return Array(text.utf8)
    }

    private static func hostileKey(using generator: inout SplitMix64) -> [UInt8] {
        let keys = ["\"\"", "\"\\u0000\"", "\"a\\u001b[2J\"", "\"__metadata__\"", "\"\\n\"", "\"schema\"", "null", "7"]
        return Array((keys.randomElement(using: &generator) ?? "").utf8)
    }

    private static func isNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func neighbour(of text: ArraySlice<UInt8>, using generator: inout SplitMix64) -> [UInt8] {
        let text = String(decoding: text, as: UTF8.self)
        guard let number = Double(text) else { return Array((text + "0").utf8) }
        let whole = Int(exactly: number)
        let result: String =
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: whole.map { "\($0 &+ 1)" } ?? "\(number.nextUp)"
            case 1: whole.map { "\($0 &- 1)" } ?? "\(number.nextDown)"
            case 2: "\(number * 2)"
            case 3: whole.map { "\(0 &- $0)" } ?? "\(-number)"
            case 4: "\(number + 0.5)"
            case 5: text + "0"
            default: text + "e400"
            }
        return Array(result.utf8)
    }
}

/// Where the parts of a JSON text lie, found without insisting that it is one: damaged texts are looked at, too.
struct JSONSpans {
    /// Numbers, texts, words, lists and objects.
    private(set) var values: [Range<Int>] = []
    /// The texts before colons.
    private(set) var keys: [Range<Int>] = []
    /// From a key to the end of its value.
    private(set) var members: [Range<Int>] = []

    private struct Frame {
        let start: Int
        var key: Int?
    }

    init(_ text: [UInt8]) {
        var frames: [Frame] = []
        var key: Int?
        var position = 0
        while position < text.count {
            let start = position
            switch text[position] {
            case UInt8(ascii: "\""):
                position = Self.endOfString(text, from: position)
                if Self.isBeforeColon(text, position) {
                    keys.append(start..<position)
                    key = start
                } else {
                    add(start..<position, key: &key)
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                frames.append(Frame(start: start, key: key))
                key = nil
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                position += 1
                guard let frame = frames.popLast() else { continue }
                key = frame.key
                add(frame.start..<position, key: &key)
            case let byte where Self.isOfWord(byte):
                while position < text.count, Self.isOfWord(text[position]) { position += 1 }
                add(start..<position, key: &key)
            default:
                position += 1
            }
        }
    }

    private mutating func add(_ value: Range<Int>, key: inout Int?) {
        values.append(value)
        if let start = key { members.append(start..<value.upperBound) }
        key = nil
    }

    private static func endOfString(_ text: [UInt8], from start: Int) -> Int {
        var position = start + 1
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""): return position + 1
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return text.count
    }

    private static func isBeforeColon(_ text: [UInt8], _ position: Int) -> Bool {
        var position = position
        while position < text.count, text[position] <= 0x20 { position += 1 }
        return position < text.count && text[position] == UInt8(ascii: ":")
    }

    /// Letters, digits, signs and points: numbers, and words such as `null`.
    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
