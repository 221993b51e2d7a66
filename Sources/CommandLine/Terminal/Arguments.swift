import Glibc
import Models
import Pipeline

/// The words that this process was started with.
enum Arguments {
    /// The whole command, as a shell reads it back.
    static var command: String {
        (["omnicache"] + CommandLine.arguments.dropFirst()).map(\.quotedForShell).joined(separator: " ")
    }

    /// Checks that all arguments are UTF-8. Swift would replace other bytes, and so write to a file of another name.
    ///
    /// - Throws: `PipelineError.usage` that names the first argument that is not.
    static func check() throws(PipelineError) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            throw .usage(
                "argument \(index), '\(escaped(argument))', is not UTF-8; write it in UTF-8 (a file: rename it, or use a symbolic "
                    + "link to it)"
            )
        }
    }

    /// Checks that the path of the working directory is UTF-8, since relative paths begin with it.
    ///
    /// - Throws: `PipelineError.usage` if it is not.
    static func checkDirectory() throws(PipelineError) {
        guard let path = getcwd(nil, 0) else { return }
        defer { free(path) }
        guard String(validatingCString: path) == nil else { return }
        throw .usage("the working directory '\(escaped(path))' is not UTF-8; rename it, or use another one")
    }

    /// A text with every byte that is not printable ASCII as `\xNN`.
    private static func escaped(_ text: UnsafePointer<CChar>) -> String {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { byte in
            let byte = UInt8(bitPattern: byte)
            guard byte < 0x20 || byte >= 0x7F else { return String(UnicodeScalar(byte)) }
            return "\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))"
        }.joined()
    }

    // MARK: - Misspelt subcommands

    /// A word with more typing errors than this is another word.
    private static let mostEdits = 2

    /// The first argument, if it is one of `subcommands`.
    static func subcommand(among subcommands: [String]) -> String? {
        CommandLine.arguments.dropFirst().first.flatMap { subcommands.contains($0) ? $0 : nil }
    }

    /// What to say if the first argument should have been one of `subcommands`; nil if it is one, or an option.
    static func advice(among subcommands: [String]) -> String? {
        guard let typed = CommandLine.arguments.dropFirst().first, !typed.hasPrefix("-"), typed != "help",
            !subcommands.contains(typed)
        else { return nil }
        if let name = nearest(to: typed.lowercased(), in: subcommands) {
            return "'\(typed)' is not a subcommand; did you mean '\(name)'?"
        }
        return "'\(typed)' is not a subcommand; there are \(subcommands.joined(separator: ", "))"
    }

    /// The name with the fewest edits from `typed`, or with the same beginning.
    private static func nearest(to typed: String, in names: [String]) -> String? {
        guard let name = names.min(by: { typed.edits(to: $0) < typed.edits(to: $1) }) else { return nil }
        if typed.edits(to: name) <= mostEdits { return name }
        return names.first { typed.count > 2 && ($0.hasPrefix(typed) || typed.hasPrefix($0)) }
            ?? names.first { typed.hasPrefix($0.dropLast()) }
    }
}
