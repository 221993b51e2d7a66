/// A command as a shell reads it.
enum ShellCommand {
    /// The command that this process was started with, as it can be typed again.
    static var present: String {
        (["omnicache"] + CommandLine.arguments.dropFirst()).map(quoted).joined(separator: " ")
    }

    /// A word in quotes, unless a shell reads it as it is without.
    static func quoted(_ argument: String) -> String {
        let plain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_=+:,./@%".utf8.contains(byte)
            }
        }
        guard !plain || argument.isEmpty else { return argument }
        // By scalars: a mark after a quote makes another character of it.
        let inside = argument.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        return "'" + inside.joined(separator: "'\\''") + "'"
    }
}
