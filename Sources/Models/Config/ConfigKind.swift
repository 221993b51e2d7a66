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
    /// A list whose elements are all of one kind.
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
    /// What stands there, short enough for a message.
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
