/// The keys of a configuration, read one by one: each as one kind of value, with what its absence and an explicit null
/// mean.
///
/// Every configuration is read through this one type, so that a key behaves alike wherever it stands. Python's readers
/// hand an explicit null to a class as the value None, whatever the key's default: the callers here say what the class
/// makes of it. Where they say nothing, it is an error, and so is a value of another kind.
package struct ConfigFields {
    /// The file.
    package let file: JSONFile
    /// The class whose keys these are, for messages; nil where the file says so itself.
    private let owner: String?

    /// The keys of `file`; messages add the name of the class `owner`.
    package init(_ file: JSONFile, owner: String? = nil) {
        self.file = file
        self.owner = owner
    }

    /// Whether the key stands in the file, with any value.
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

    /// What the text at `key` stands for, one of those that are supported in the order in which a message lists them.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - preset: the text that absence stands for.
    ///   - meanings: the texts that are supported, and what they stand for.
    ///   - null: the text that an explicit null stands for; nil if it is an error.
    /// - Returns: what the text stands for.
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
