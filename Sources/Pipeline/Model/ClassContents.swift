import Models

/// What each class of a model shows, in words that people may ask for: `class_contents.json` in the model's directory.
///
/// A JSON object whose `contents` maps class names to lists of things. It changes no image and is read for messages alone,
/// so a file that cannot be read is as good as none.
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
