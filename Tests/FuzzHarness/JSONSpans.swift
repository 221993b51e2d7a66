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
