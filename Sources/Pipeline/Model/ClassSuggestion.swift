import Models

extension ClassNames {
    /// How many classes a message names.
    private static let mostSuggestions = 5
    /// The most edits between a name and its misspelling.
    private static let farthest = 2

    /// A hint for a class that does not exist: the classes that have the word in a name, or show
    /// such a thing, or else the one whose name is spelt most like it.
    func suggestion(for key: String) -> String {
        let named = names.indices.filter { Self.isPart(key, of: Self.key(names[$0])) }
        if !named.isEmpty { return ", but it has \(list(named.map { (names[$0], nil) })); " }

        let contents = contentsPath.flatMap(ClassContents.init(path:))
        let showing = shown(by: contents) { Self.isPart(key, of: $0) }
        if !showing.isEmpty { return ", but it shows such things as \(list(showing)); " }

        let candidates = names.flatMap { name in
            [name] + name.split(separator: ",").map { String($0.drop(while: \.isWhitespace)) }
        }
        guard let nearest = candidates.min(by: { key.edits(to: Self.key($0)) < key.edits(to: Self.key($1)) }) else {
            return "; "
        }
        if key.edits(to: Self.key(nearest)) > Self.farthest {
            let misspelt = shown(by: contents) { $0.split(separator: "-").contains { key.edits(to: String($0)) == 1 } }
            if key.count > 3, !misspelt.isEmpty { return ", but it shows such things as \(list(misspelt)); " }
        }
        return "; did you mean '\(nearest)'? "
    }

    /// The classes that show something whose key is `wanted`, with the first such thing of each.
    private func shown(
        by contents: ClassContents?, where wanted: (String) -> Bool
    ) -> [(name: String, thing: String?)] {
        guard let contents else { return [] }
        return names.compactMap { name in
            contents.things(of: name).first { wanted(Self.key($0)) }.map { (name, $0) }
        }
    }

    private func list(_ classes: [(name: String, thing: String?)]) -> String {
        let said = classes.prefix(Self.mostSuggestions).map { name, thing in
            thing.map { "'\(name)' (\($0))" } ?? "'\(name)'"
        }
        let rest = classes.count - said.count
        return said.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    /// Whether another key contains the words of this one in a row; the last of them may be a plural.
    private static func isPart(_ key: String, of other: String) -> Bool {
        let whole = "-\(other)-"
        return whole.contains("-\(key)-") || whole.contains("-\(key)s-")
            || (key.count > 3 && key.hasSuffix("s") && whole.contains("-\(key.dropLast())-"))
    }
}

/// What each class of a model shows, in words that users may ask for: `class_contents.json` in the model's directory.
///
/// A JSON object whose `contents` maps class names to lists of things. It changes no image and is read for messages alone,
/// so a file that cannot be read is ignored.
struct ClassContents {
    /// The file's name.
    static let fileName = "class_contents.json"

    private let contents: [String: [String]]

    init?(path: String) {
        guard let file = try? JSONFile(path: path), case .object(let members)? = file["contents"] else { return nil }
        var contents: [String: [String]] = [:]
        for member in members {
            guard case .array(let things) = member.value else { continue }
            contents[member.key] = things.compactMap { if case .string(let thing) = $0 { thing } else { nil } }
        }
        self.contents = contents
    }

    /// What the class of this name shows.
    func things(of name: String) -> [String] { contents[name] ?? [] }
}

extension String {
    /// The fewest insertions, deletions, replacements and swaps of neighbours that turn this text into another (the optimal
    /// string alignment distance).
    public func edits(to other: String) -> Int {
        let (first, second) = (Array(self), Array(other))
        var (before, last) = ([Int](), Array(0...second.count))
        for i in first.indices {
            var row = [i + 1]
            for j in second.indices {
                let replaced = last[j] + (first[i] == second[j] ? 0 : 1)
                var best = Swift.min(replaced, last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                    best = Swift.min(best, before[j - 1] + 1)
                }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[second.count]
    }
}
