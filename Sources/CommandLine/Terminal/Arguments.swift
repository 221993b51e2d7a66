import Glibc
import Pipeline

/// The words that this process was started with.
enum Arguments {
    /// Checks that all are UTF-8: Swift's texts hold nothing else, so that a file would get another name.
    ///
    /// - Throws: `PipelineError.usage` that names the first which is not.
    static func check() throws(PipelineError) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            throw .usage(
                "argument \(index), '\(escaped(argument))', is not UTF-8; rename what it names, or reach it by a "
                    + "symbolic link")
        }
    }

    /// Checks that the path of the working directory, which relative paths begin with, is UTF-8.
    ///
    /// - Throws: `PipelineError.usage` if it is not.
    static func checkDirectory() throws(PipelineError) {
        guard let path = getcwd(nil, 0) else { return }
        defer { free(path) }
        guard String(validatingCString: path) == nil else { return }
        throw .usage(
            "the working directory '\(escaped(path))' is not UTF-8; rename it, or work in another one")
    }

    /// A text whose bytes beyond ASCII are told by their numbers.
    private static func escaped(_ text: UnsafePointer<CChar>) -> String {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { byte in
            let byte = UInt8(bitPattern: byte)
            guard byte < 0x20 || byte >= 0x7F else { return String(UnicodeScalar(byte)) }
            return "\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))"
        }.joined()
    }
}
