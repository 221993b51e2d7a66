/// Helps who misspells a subcommand.
enum Subcommands {
    /// Misspelt by more than this, a word is another one.
    private static let farthest = 2

    /// What to say where the first argument is neither an option nor a subcommand; nil where it is one of them.
    static func advice(for argument: String?) -> String? {
        var names: [String] = []
        for command in Omnicache.configuration.subcommands {
            if let name = command.configuration.commandName { names.append(name) }
        }
        guard let argument, !argument.hasPrefix("-"), argument != "help", !names.contains(argument) else { return nil }
        if let name = nearest(to: argument.lowercased(), in: names) {
            return "'\(argument)' is no subcommand; did you mean '\(name)'?"
        }
        return "'\(argument)' is no subcommand; there are \(names.joined(separator: ", "))"
    }

    /// The name that is spelt most like `typed`, or begins as it does.
    private static func nearest(to typed: String, in names: [String]) -> String? {
        guard let name = names.min(by: { typed.edits(to: $0) < typed.edits(to: $1) }) else { return nil }
        if typed.edits(to: name) <= farthest { return name }
        return names.first { typed.count > 2 && ($0.hasPrefix(typed) || typed.hasPrefix($0)) }
            ?? names.first { typed.hasPrefix($0.dropLast()) }
    }
}
