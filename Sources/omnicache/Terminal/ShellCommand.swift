/// A command as a shell reads it.
enum ShellCommand {
    /// The command that this process was started with, as it can be typed again.
    static var present: String {
        (["omnicache"] + CommandLine.arguments.dropFirst()).map(quoted).joined(separator: " ")
    }

    private static func quoted(_ argument: String) -> String {
        let plain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_=+:,./@%".utf8.contains(byte)
            }
        }
        return plain && !argument.isEmpty ? argument : "'\(argument.replacing("'", with: "'\\''"))'"
    }
}
