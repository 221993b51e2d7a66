import Models

/// The names of a model's classes, and the index that a name or number stands for.
///
/// A class's label is one name or several synonyms separated by commas, as those of ImageNet are (`tench, Tinca tinca`).
public struct ClassNames: Sendable, Equatable {
    /// One label per class, in the order of the label table.
    public let names: [String]

    /// The classes that carry a name, by its key: whole labels, and the synonyms that labels are made of.
    private let labels: [String: [Int]]
    private let synonyms: [String: [Int]]
    /// The most parts between commas that any label has.
    private let mostParts: Int
    /// The file that says what each class shows; nil where there is none.
    let contentsPath: String?

    /// Names for the classes `0..<names.count`.
    ///
    /// - Parameters:
    ///   - names: the labels.
    ///   - contentsPath: a file that says what each class shows (``ClassContents``), read only to help who asks for a class
    ///     that is not there.
    public init(_ names: [String], contentsPath: String? = nil) {
        self.names = names
        self.contentsPath = contentsPath
        var labels: [String: [Int]] = [:]
        var synonyms: [String: [Int]] = [:]
        var mostParts = 1
        for (index, name) in names.enumerated() {
            labels[Self.key(name), default: []].append(index)
            let parts = name.split(separator: ",")
            mostParts = max(mostParts, parts.count)
            for key in Set(parts.map { Self.key(String($0)) }) where !key.isEmpty {
                synonyms[key, default: []].append(index)
            }
        }
        self.labels = labels
        self.synonyms = synonyms
        self.mostParts = mostParts
    }

    /// The number of classes.
    public var count: Int { names.count }

    /// The name of a class that has none.
    static func placeholder(_ index: Int) -> String { "class \(index)" }

    /// What a condition is called: a class by its label, a prompt by its words.
    public func name(of condition: Condition) -> String {
        switch condition {
        case .label(let label): names[label]
        case .prompt(let text): text
        case .null: ""
        }
    }

    /// What a condition is called in a file name: a class by its ``slug(_:)``; a prompt by its words in lower case, letters
    /// and digits with hyphens between them, at most 60 characters.
    public func slug(of condition: Condition) -> String {
        switch condition {
        case .label(let label): slug(label)
        case .prompt(let text): Self.slug(ofPrompt: text)
        case .null: ""
        }
    }

    /// By scalars, since a character may have any number of combining marks.
    private static func slug(ofPrompt text: String) -> String {
        let words = text.lowercased().unicodeScalars.split {
            !$0.properties.isAlphabetic && $0.properties.numericType != .decimal
        }
        let slug = words.map(String.init).joined(separator: "-").unicodeScalars.prefix(60)
        return String(slug.last == "-" ? slug.dropLast() : slug)
    }

    /// A class's first synonym for use in a file name: lower case, with a hyphen for each run of other
    /// characters; with the id behind where that names another class too.
    public func slug(_ index: Int) -> String {
        let key = Self.key(String(names[index].prefix { $0 != "," }))
        return classes(of: key) == [index] ? key : [key, "\(index)"].filter { !$0.isEmpty }.joined(separator: "-")
    }

    /// The classes that `selection` names: `all`, or a comma-separated list of names and numbers.
    ///
    /// Case and punctuation do not matter (`arts-crafts` finds `arts & crafts`). Every synonym of a label names its class,
    /// and so does the whole label with its commas, in a list too; a name that is one class's whole label and another's
    /// synonym is the former's.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` that suggests the nearest name, or lists the classes that share one.
    public func resolve(_ selection: String) throws(PipelineError) -> [Int] {
        if selection.trimmed.lowercased() == "all" { return Array(names.indices) }
        let parts = selection.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var indices: [Int] = []
        var start = 0
        while start < parts.count {
            if let (index, length) = longestLabel(parts[start...]) {
                indices.append(index)
                start += length
            } else {
                indices.append(try index(of: parts[start]))
                start += 1
            }
        }
        return indices
    }

    /// The class whose whole label, of more than one part, the list begins with.
    private func longestLabel(_ parts: ArraySlice<String>) -> (index: Int, length: Int)? {
        guard mostParts > 1 else { return nil }
        for length in stride(from: min(mostParts, parts.count), to: 1, by: -1) {
            let start = parts.prefix(length)
            guard !start.contains(where: { Self.key($0).isEmpty }) else { continue }
            if let index = labels[Self.key(start.joined(separator: ","))]?.first { return (index, length) }
        }
        return nil
    }

    private func index(of text: String) throws(PipelineError) -> Int {
        let key = Self.key(text)
        guard key != "all" || labels[key] != nil || synonyms[key] != nil else {
            throw .usage("--class: 'all' stands for every class; give it alone")
        }
        guard !key.isEmpty else {
            throw .usage("--class: a name is empty; give names or numbers separated by commas, or 'all'")
        }
        let found = classes(of: key)
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            let candidates = found.map { "\($0) (\(names[$0]))" }.joined(separator: ", ")
            throw .usage("--class '\(text.trimmed)': several classes have this name; give the number: \(candidates)")
        }
        if let number = Int(text.trimmed) {
            guard names.indices.contains(number) else {
                throw .usage("--class \(number): the model has the classes 0 to \(count - 1)")
            }
            return number
        }
        guard names.indices.contains(where: { names[$0] != Self.placeholder($0) }) else {
            throw .usage(
                "--class '\(text.trimmed)': the model has no names for its classes; give a number from 0 to \(count - 1), "
                    + "or add class_names to its config.json (see weights-format.md)")
        }
        throw .usage(
            "--class '\(text.trimmed)': the model has no such class\(suggestion(for: key))'omnicache info' lists them")
    }

    /// The classes that a key names: those of whole labels before those of synonyms, last the class of a ``slug(_:)``.
    private func classes(of key: String) -> [Int] {
        if let found = labels[key] ?? synonyms[key] { return found }
        guard let hyphen = key.lastIndex(of: "-"), let index = Int(key[hyphen...].dropFirst()),
            synonyms[String(key[..<hyphen])]?.contains(index) == true
        else { return [] }
        return [index]
    }

    /// Letters and digits in lower case, everything between them one hyphen.
    static func key(_ name: String) -> String {
        name.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    }
}
