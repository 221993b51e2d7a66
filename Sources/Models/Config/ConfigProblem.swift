/// What is wrong with a configuration, in words that name the key of `config.json`.
public struct ConfigProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
