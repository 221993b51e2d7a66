import Foundation

/// The programs that a build leaves in one folder.
public enum BuiltProgram {
    /// The path of program `name`, beside the one that asks; nil if it has not been built.
    public static func path(_ name: String) -> String? {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = URL(filePath: program).deletingLastPathComponent().appending(path: name).path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
