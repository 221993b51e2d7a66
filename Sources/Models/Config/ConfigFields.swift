/// The keys of a configuration, read one by one: each as one kind of value, with what its absence and an explicit null
/// mean.
///
/// Every configuration is read through this type, so that all files treat a key alike. Python's readers hand an explicit
/// null to a class as the value None, whatever the key's default: the callers here say what the class makes of it. Where
/// they say nothing, it is an error, and so is a value of another kind.
package struct ConfigFields {
    package let file: JSONFile
    /// The class whose keys these are, for messages; nil where the file names it.
    private let owner: String?

    /// The keys of `file`; messages add the name of the class `owner`.
    package init(_ file: JSONFile, owner: String? = nil) {
        self.file = file
        self.owner = owner
    }

    /// Whether the file has the key, with any value.
    package func contains(_ key: String) -> Bool { member(key) != nil }

    /// The value of a key that must be there.
    package func required<Value>(_ key: String, _ kind: ConfigKind<Value>) throws(ConfigProblem) -> Value {
        guard let value = member(key) else { throw ConfigProblem("the key \(key) is missing") }
        return try read(key, value, kind)
    }

    /// The value of a key that may be absent.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - kind: what its value must be.
    ///   - preset: what absence means.
    ///   - null: what an explicit null means; nil if it is an error.
    /// - Returns: the value.
    /// - Throws: ``ConfigProblem`` where it is of another kind.
    package func value<Value>(
        _ key: String, _ kind: ConfigKind<Value>, default preset: Value, null: Value? = nil
    ) throws(ConfigProblem) -> Value {
        guard let value = member(key) else { return preset }
        if value == .null, let null { return null }
        return try read(key, value, kind)
    }

    /// The value of a key that may be absent or null, both of which mean that there is none.
    package func optional<Value>(_ key: String, _ kind: ConfigKind<Value>) throws(ConfigProblem) -> Value? {
        guard let value = member(key), value != .null else { return nil }
        return try read(key, value, kind)
    }

    /// A flag as Python sees it: null is false.
    package func flag(_ key: String, _ preset: Bool) throws(ConfigProblem) -> Bool {
        try value(key, .flag, default: preset, null: false)
    }

    /// The meaning of the text at `key`, one of those that are supported, in the order in which a message lists them.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - preset: the text where the key is absent.
    ///   - meanings: the texts that are supported, and their meanings.
    ///   - null: the text for an explicit null; nil if that is an error.
    /// - Returns: the text's meaning.
    /// - Throws: ``ConfigProblem`` where it is no text, or not one of these.
    package func choice<Meaning>(
        _ key: String, _ preset: String, _ meanings: KeyValuePairs<String, Meaning>, null: String? = nil
    ) throws(ConfigProblem) -> Meaning {
        let found = try value(key, .text, default: preset, null: null)
        guard let meaning = meanings.first(where: { $0.key == found })?.value else {
            throw unsupported(key, found, meanings.map(\.key).joined(separator: ", "))
        }
        return meaning
    }

    /// Refuses every value of a key but one, which is also what its absence means.
    package func require<Value: Equatable>(
        _ key: String, _ kind: ConfigKind<Value>, _ supported: Value, null: Value? = nil
    ) throws(ConfigProblem) {
        let found = try value(key, kind, default: supported, null: null)
        guard found == supported else {
            throw ConfigProblem("\(key)\(suffix) is \(found); only \(supported) is supported")
        }
    }

    /// The error that `key` has a value other than those `supported`.
    package func unsupported(_ key: String, _ found: String, _ supported: String) -> ConfigProblem {
        let origin = contains(key) ? "" : " by default"
        return ConfigProblem("\(key)\(suffix) is \(found)\(origin); supported: \(supported)")
    }

    private var suffix: String { owner.map { " of \($0)" } ?? "" }

    private func member(_ key: String) -> JSONValue? { file.members.first { $0.key == key }?.value }

    private func read<Value>(
        _ key: String, _ value: JSONValue, _ kind: ConfigKind<Value>
    ) throws(ConfigProblem) -> Value {
        guard let read = kind.read(value) else {
            throw ConfigProblem("\(key)\(suffix) is \(kind.found(value)), not \(kind.name)")
        }
        return read
    }
}

/// A kind of value that a key may have: its name in messages, and how it is read.
///
/// A value of another type is read where it can only mean one thing: 0 and 1 are flags, 1.0 is a whole number. A text is
/// neither a number nor a flag, and true is no number.
package struct ConfigKind<Value> {
    /// What it is called in a message.
    let name: String
    /// The value; nil where it is of another kind.
    let read: (JSONValue) -> Value?
    /// What a message says of a value of another kind.
    var found: (JSONValue) -> String = { $0.inWords }
}

extension ConfigKind<Double> {
    /// A finite number.
    package static var number: Self {
        Self(name: "a finite number") { value in
            extendedNumber.read(value).flatMap { $0.isFinite ? $0 : nil }
        }
    }

    /// A number, infinite ones and those that are none among them.
    package static var extendedNumber: Self {
        Self(name: "a number") { value in
            switch value {
            case .integer(let whole): Double(whole)
            case .number(let number): number
            default: nil
            }
        }
    }
}

extension ConfigKind<Int> {
    package static var whole: Self {
        Self(name: "a whole number") { value in
            switch value {
            case .integer(let whole): whole
            case .number(let number): Int(exactly: number)
            default: nil
            }
        }
    }

    /// The side of a square, or the sides of a rectangle, of which the first counts.
    package static var side: Self {
        Self(name: "a whole number") { value in
            if case .array(let sides) = value { sides.first.flatMap(whole.read) } else { whole.read(value) }
        }
    }
}

extension ConfigKind<Bool> {
    package static var flag: Self {
        Self(name: "true or false") { value in
            switch value {
            case .bool(let flag): flag
            case .integer(0): false
            case .integer(1): true
            default: nil
            }
        }
    }
}

extension ConfigKind<String> {
    package static var text: Self {
        Self(name: "a text") { value in
            if case .string(let text) = value { text } else { nil }
        }
    }
}

extension ConfigKind {
    package static func list<Element>(of kind: ConfigKind<Element>) -> Self where Value == [Element] {
        Self(name: "a list (each element \(kind.name))") { value in
            guard case .array(let elements) = value else { return nil }
            let read = elements.compactMap(kind.read)
            return read.count == elements.count ? read : nil
        } found: { value in
            guard case .array(let elements) = value, let index = elements.firstIndex(where: { kind.read($0) == nil })
            else { return value.inWords }
            return "a list with \(kind.found(elements[index])) at \(index)"
        }
    }
}

extension JSONValue {
    /// The value in words, short enough for a message.
    package var inWords: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): value.isNaN ? "NaN" : "\(value)"
        case .string(let value): "the text '\(value.prefix(40))\(value.count > 40 ? "…" : "")'"
        case .array(let elements):
            elements.count <= 3 && elements.allSatisfy(\.isPlain)
                ? "the list [\(elements.map(\.inWords).joined(separator: ", "))]" : "a list of \(elements.count)"
        case .object: "an object"
        }
    }

    private var isPlain: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}

/// What is wrong with a configuration, in words that name the key of `config.json`.
public struct ConfigProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Checks that `value` is in `bounds`; the problem names `key`.
    static func check(_ value: Int, _ bounds: ClosedRange<Int>, _ key: String) throws(ConfigProblem) {
        guard bounds.contains(value) else {
            throw ConfigProblem("\(key) is \(value), not in \(bounds.lowerBound)...\(bounds.upperBound)")
        }
    }
}

extension [String] {
    /// What is wrong with names from a file that holds them under `key`; nil where they can be shown.
    ///
    /// A name is printed, stored in images and made into file names: one that steers terminals or ends texts early is
    /// refused as it is read, not when an image has been sampled.
    package func unprintable(in key: String) -> ConfigProblem? {
        for (index, name) in enumerated() {
            guard let scalar = name.unprintable else { continue }
            return ConfigProblem(
                "\(key)[\(index)] holds the control character \(scalar.codePoint); give a name that can be printed")
        }
        return nil
    }
}
