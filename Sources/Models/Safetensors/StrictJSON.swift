/// A JSON value as it was written: members keep their order and whole numbers stay whole.
package enum JSONValue: Equatable, Sendable {
    package struct Member: Equatable, Sendable {
        package let key: String
        package let value: JSONValue
    }

    case null
    case bool(Bool)
    case integer(Int)
    /// A number with a fraction or exponent, or a whole one that does not fit `Int`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])
}

/// Where and why a text is not JSON; `offset` counts bytes.
package struct JSONProblem: Error, Equatable {
    package let reason: String
    package let offset: Int
}

/// A JSON (RFC 8259) parser that refuses what lenient ones hide: a key that occurs twice in an object, bytes that are
/// not UTF-8, unpaired surrogates.
package struct StrictJSON {
    private static let deepestNesting = 128
    private static let decimalDigits = UInt8(ascii: "0")...UInt8(ascii: "9")

    private let bytes: [UInt8]
    private let allowsNonFinite: Bool
    private let allowsRepeatedKeys: Bool
    private var position = 0

    /// Parses a whole text; white space may surround the value. `Infinity`, `-Infinity` and `NaN`, as Python writes them,
    /// count as numbers only where that is allowed, and a key may occur twice in an object only where the caller checks
    /// for that.
    static func parse(
        _ bytes: [UInt8], allowsNonFinite: Bool = false, allowsRepeatedKeys: Bool = false
    ) throws(JSONProblem) -> JSONValue {
        var parser = StrictJSON(
            bytes: bytes, allowsNonFinite: allowsNonFinite, allowsRepeatedKeys: allowsRepeatedKeys)
        let value = try parser.value(depth: 0)
        parser.skipWhitespace()
        guard parser.position == bytes.count else { throw parser.problem("text after the end of the value") }
        return value
    }

    private init(bytes: [UInt8], allowsNonFinite: Bool, allowsRepeatedKeys: Bool) {
        self.bytes = bytes
        self.allowsNonFinite = allowsNonFinite
        self.allowsRepeatedKeys = allowsRepeatedKeys
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func problem(_ reason: String) -> JSONProblem {
        JSONProblem(reason: reason, offset: position)
    }

    private mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONProblem) {
        guard accept(character) else { throw problem("'\(character)' expected") }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth < Self.deepestNesting else { throw problem("nested too deeply") }
        skipWhitespace()
        switch next {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "I") where allowsNonFinite: return try word("Infinity", .number(.infinity))
        case UInt8(ascii: "N") where allowsNonFinite: return try word("NaN", .number(.nan))
        case let byte? where byte == UInt8(ascii: "-") || Self.decimalDigits.contains(byte): return try number()
        case nil: throw problem("the text ends too early")
        default: throw problem("a value expected")
        }
    }

    private mutating func members(depth: Int) throws(JSONProblem) -> [JSONValue.Member] {
        try expect("{")
        skipWhitespace()
        if accept("}") { return [] }
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        repeat {
            skipWhitespace()
            let key = try string()
            guard keys.insert(key).inserted || allowsRepeatedKeys else {
                throw problem("the key \(key.debugDescription) occurs twice")
            }
            skipWhitespace()
            try expect(":")
            members.append(.init(key: key, value: try value(depth: depth + 1)))
            skipWhitespace()
        } while accept(",")
        try expect("}")
        return members
    }

    private mutating func elements(depth: Int) throws(JSONProblem) -> [JSONValue] {
        try expect("[")
        skipWhitespace()
        if accept("]") { return [] }
        var elements: [JSONValue] = []
        repeat {
            elements.append(try value(depth: depth + 1))
            skipWhitespace()
        } while accept(",")
        try expect("]")
        return elements
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count, String(decoding: bytes[position..<end], as: UTF8.self) == word.description else {
            throw problem("a value expected")
        }
        position = end
        return value
    }

    private mutating func digits() throws(JSONProblem) {
        let start = position
        while let byte = next, Self.decimalDigits.contains(byte) { position += 1 }
        guard position > start else { throw problem("a digit expected") }
    }

    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = position
        var isWhole = true
        let isNegative = accept("-")
        if allowsNonFinite, isNegative, next == UInt8(ascii: "I") { return try word("Infinity", .number(-.infinity)) }
        if !accept("0") { try digits() }
        if accept(".") {
            isWhole = false
            try digits()
        }
        if accept("e") || accept("E") {
            isWhole = false
            _ = accept("+") || accept("-")
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text) else { throw problem("the number \(text) cannot be represented") }
        return .number(number)
    }

    private mutating func string() throws(JSONProblem) -> String {
        try expect("\"")
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw problem("a string that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                content.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20:
                throw problem("a control character inside a string")
            default:
                content.append(byte)
            }
        }
        throw problem("the text ends inside a string")
    }

    private mutating func escape() throws(JSONProblem) -> Unicode.Scalar {
        guard let byte = next else { throw problem("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard unit < 0xDC00, accept("\\"), accept("u") else { throw problem("an unpaired surrogate") }
            let low = try codeUnit()
            guard
                (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw problem("an unpaired surrogate") }
            return scalar
        default: throw problem("an unknown escape")
        }
    }

    private mutating func codeUnit() throws(JSONProblem) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw problem("four hexadecimal digits expected")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}

extension StrictJSON {
    /// Walks through JSON texts token by token, by the same rules: for readers that report the position of a value.
    package struct Scanner {
        /// A string, a number, or any other value.
        package enum Value {
            case string(String)
            /// A number as it is written.
            case number(String)
            /// A truth value, null, an array or an object.
            case other
        }

        private var parser: StrictJSON

        /// A scanner at the beginning of a text.
        package init(_ bytes: [UInt8]) {
            parser = StrictJSON(bytes: bytes, allowsNonFinite: false, allowsRepeatedKeys: false)
        }

        /// The byte that comes next, after white space.
        package var next: UInt8? {
            mutating get {
                parser.skipWhitespace()
                return parser.next
            }
        }

        /// The place of ``next``.
        package var offset: Int {
            mutating get {
                parser.skipWhitespace()
                return parser.position
            }
        }

        /// The place after the last token.
        package var end: Int { parser.position }

        /// Steps over a character if it comes next.
        package mutating func accept(_ character: Unicode.Scalar) -> Bool {
            parser.skipWhitespace()
            return parser.accept(character)
        }

        /// Steps over a character that has to come next.
        package mutating func expect(_ character: Unicode.Scalar) throws(JSONProblem) {
            parser.skipWhitespace()
            try parser.expect(character)
        }

        /// Steps over a string.
        package mutating func string() throws(JSONProblem) -> String {
            parser.skipWhitespace()
            return try parser.string()
        }

        /// Steps over a value.
        package mutating func value() throws(JSONProblem) -> Value {
            let start = offset
            switch parser.next {
            case UInt8(ascii: "\""): return .string(try parser.string())
            case let byte? where byte == UInt8(ascii: "-") || StrictJSON.decimalDigits.contains(byte):
                _ = try parser.number()
                return .number(String(decoding: parser.bytes[start..<parser.position], as: UTF8.self))
            default:
                _ = try parser.value(depth: 0)
                return .other
            }
        }
    }
}
