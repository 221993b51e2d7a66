import Models
import Sampling

/// The keys of a scheduler's configuration, read with the defaults of its class; errors name file, key and value.
struct SchedulerFields {
    private let file: JSONFile
    /// The scheduler's class.
    let className: String

    /// Joins a file and the class that reads it.
    init(_ file: JSONFile, className: String) {
        self.file = file
        self.className = className
    }

    func number(_ key: String, _ preset: Double) throws(ModelError) -> Double {
        switch file[key] {
        case nil: return preset
        case .integer(let value)?: return Double(value)
        case .number(let value)?: return value
        case let value?: throw wrongType(key, value, "a number")
        }
    }

    func whole(_ key: String, _ preset: Int) throws(ModelError) -> Int {
        switch file[key] {
        case nil: return preset
        case .integer(let value)?: return value
        case .number(let value)?:
            guard let whole = Int(exactly: value) else { throw wrongType(key, .number(value), "a whole number") }
            return whole
        case let value?: throw wrongType(key, value, "a whole number")
        }
    }

    func flag(_ key: String, _ preset: Bool) throws(ModelError) -> Bool {
        switch file[key] {
        case nil: return preset
        case .bool(let value)?: return value
        case let value?: throw wrongType(key, value, "true or false")
        }
    }

    /// What the text at `key` stands for, one of those that are supported in the order in which a message lists them.
    func choice<Meaning>(
        _ key: String, _ preset: String, _ meanings: KeyValuePairs<String, Meaning>
    ) throws(ModelError) -> Meaning {
        let found: String
        switch file[key] {
        case nil: found = preset
        case .string(let value)?: found = value
        case let value?: throw wrongType(key, value, "a text")
        }
        guard let meaning = meanings.first(where: { $0.key == found })?.value else {
            throw unsupported(key, found, meanings.map(\.key).joined(separator: ", "))
        }
        return meaning
    }

    func numbers(_ key: String) throws(ModelError) -> [Double]? {
        guard let value = file[key] else { return nil }
        guard case .array(let elements) = value else { throw wrongType(key, value, "a list of numbers") }
        var numbers: [Double] = []
        for element in elements {
            switch element {
            case .integer(let value): numbers.append(Double(value))
            case .number(let value): numbers.append(value)
            default: throw wrongType("an element of \(key)", element, "a number")
            }
        }
        return numbers
    }

    /// Refuses each of the keys that is set to anything but false.
    func refuse(_ keys: [String]) throws(ModelError) {
        for key in keys where try flag(key, false) { throw unsupported(key, "true", "false") }
    }

    /// Refuses a key that is there and not null.
    func refuseValue(of key: String) throws(ModelError) {
        if let value = file[key] { throw unsupported(key, Self.text(value), "null") }
    }

    /// The error that `key` has a value other than those `supported`.
    func unsupported(_ key: String, _ found: String, _ supported: String) -> ModelError {
        let origin = file[key] == nil ? " by default" : ""
        return file.problem("\(key) of \(className) is \(found)\(origin); supported: \(supported)")
    }

    /// The error of a value that the diffusion process refuses.
    func problem(_ error: SamplingError) -> ModelError {
        file.problem("\(error)")
    }

    private func wrongType(_ key: String, _ value: JSONValue, _ expected: String) -> ModelError {
        file.problem("\(key) of \(className) is \(Self.text(value)), not \(expected)")
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value
        case .array: "a list"
        case .object: "an object"
        }
    }
}
