import Models

/// The names and values of a list: the rules that tables and JSON have in common.
struct ListNames {
    private let known: Set<String>

    /// - Parameter known: the names that a value may have, as on the command line, without the dashes.
    init(known: Set<String>) {
        self.known = known
    }

    /// A name as it is on the command line: in small letters, with dashes.
    static func canonical(_ name: String) -> String {
        name.lowercased().replacing("_", with: "-")
    }

    /// Whether a name, as it is written, is known.
    func contains(_ name: String) -> Bool { known.contains(Self.canonical(name)) }

    /// What to say of a name that is not known.
    func unknown(_ name: String, kind: String) -> String {
        let name = name.onOneLine
        let key = Self.canonical(name)
        let nearest =
            key.utf8.count > 64
            ? nil : known.sorted().min { key.edits(to: $0) < key.edits(to: $1) }
        let isNear = nearest.map { key.edits(to: $0) <= max(2, key.count / 3) } == true
        let list = ["class", "seed"] + known.subtracting(["class", "seed"]).sorted()
        let hint = isNear ? "did you mean '\(nearest ?? "")'?" : "there are \(list.joined(separator: ", "))"
        return "unknown \(kind) '\(name.prefix(64))'; \(hint)"
    }

    /// A value at its place.
    ///
    /// - Throws: ``ListText/Problem`` when it holds a control character.
    static func field(_ text: String, of name: String, at place: BatchFile.Place) throws(ListText.Problem)
        -> BatchFile.Field
    {
        if let control = text.unprintable {
            let code = String(control.value, radix: 16, uppercase: true)
            throw ListText.Problem(
                reason:
                    "\(name) has the control character U+\(String(repeating: "0", count: 4 - code.count))\(code); remove it",
                place: place)
        }
        return BatchFile.Field(text: text, place: place)
    }
}

extension BatchFile.Field {
    /// The value, with a whole number written as one: `5.0` and `5e0` are 5. What a spreadsheet may have rounded, such as
    /// `4.29E+09`, stays as it is and so is none.
    public var plainNumber: String {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let bytes = Array(text.utf8)
        let start = bytes.first == UInt8(ascii: "-") ? 1 : 0
        let whole = bytes[start...].prefix { digits.contains($0) }
        let rest = bytes[whole.endIndex...]
        guard !whole.isEmpty, let mark = rest.first else { return text }
        let head = String(decoding: bytes[..<whole.endIndex], as: UTF8.self)
        if mark == UInt8(ascii: ".") {
            return rest.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") } ? head : text
        }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return text }
        let exponent = rest.dropFirst(rest.dropFirst().first == UInt8(ascii: "+") ? 2 : 1)
        guard exponent.count <= 2, exponent.allSatisfy({ digits.contains($0) }),
            let zeros = Int(String(decoding: exponent, as: UTF8.self)), zeros <= 18
        else { return text }
        return head + String(repeating: "0", count: zeros)
    }
}
