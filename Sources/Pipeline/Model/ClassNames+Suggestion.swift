extension ClassNames {
    /// How many classes a message names.
    private static let mostSuggestions = 5
    /// Misspelt by more than this, a name is another one.
    private static let farthest = 2

    /// What to say to a person who asks for a class that is not there: the classes that have the word in a name, or show
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

    /// Whether the words of one key stand in another in a row; the last of them may be a plural.
    private static func isPart(_ key: String, of other: String) -> Bool {
        let whole = "-\(other)-"
        return whole.contains("-\(key)-") || whole.contains("-\(key)s-")
            || (key.count > 3 && key.hasSuffix("s") && whole.contains("-\(key.dropLast())-"))
    }
}
