extension String {
    /// The first control character: none belongs into a name, and a terminal may obey it.
    var firstControlCharacter: Unicode.Scalar? {
        unicodeScalars.first { $0.properties.generalCategory == .control }
    }

    /// Whether there is any control character.
    var hasControlCharacters: Bool { firstControlCharacter != nil }
}
