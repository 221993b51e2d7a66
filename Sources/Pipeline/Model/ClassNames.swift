/// The classes of a model: what a person types, resolved to an index.
public struct ClassNames: Sendable, Equatable {
    /// One name per class, in the order of the label table.
    public let names: [String]

    private let indexOfKey: [String: Int]

    /// Names for the classes `0..<names.count`.
    public init(_ names: [String]) {
        self.names = names
        indexOfKey = Dictionary(
            names.enumerated().map { (Self.key($1), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The number of classes.
    public var count: Int { names.count }

    /// A class's name as it may stand in a file name: lower case, with a hyphen for each run of other characters.
    public func slug(_ index: Int) -> String {
        Self.key(names[index])
    }

    /// The classes that `selection` names: `all`, or a comma-separated list of names and numbers.
    ///
    /// Case and punctuation do not matter (`arts-crafts` finds `arts & crafts`); a name may itself hold commas.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` that suggests the nearest name.
    public func resolve(_ selection: String) throws(PipelineError) -> [Int] {
        if selection.lowercased() == "all" { return Array(names.indices) }
        if let whole = indexOfKey[Self.key(selection)] { return [whole] }
        var indices: [Int] = []
        for part in selection.split(separator: ",", omittingEmptySubsequences: false) {
            indices.append(try index(of: String(part)))
        }
        return indices
    }

    private func index(of text: String) throws(PipelineError) -> Int {
        let key = Self.key(text)
        guard !key.isEmpty else {
            throw .usage("--class: a name is empty; give names or numbers separated by commas, or 'all'")
        }
        if let index = indexOfKey[key] { return index }
        let words = text.split(separator: " ")
        if words.count == 1, let number = Int(words[0]) {
            guard names.indices.contains(number) else {
                throw .usage("--class \(number): the model has the classes 0 to \(count - 1)")
            }
            return number
        }
        let nearest = names.min { Self.distance(key, Self.key($0)) < Self.distance(key, Self.key($1)) }
        let suggestion = nearest.map { "did you mean '\($0)'? " } ?? ""
        throw .usage("--class '\(text)': the model has no such class; \(suggestion)'omnicache info' lists them")
    }

    /// Letters and digits in lower case, everything between them one hyphen.
    private static func key(_ name: String) -> String {
        name.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    }

    /// The fewest insertions, deletions and replacements that turn one text into the other (Levenshtein).
    private static func distance(_ first: String, _ second: String) -> Int {
        let second = Array(second)
        var row = Array(0...second.count)
        for (i, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in second.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[second.count]
    }
}
