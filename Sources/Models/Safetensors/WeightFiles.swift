import CMappedFiles
import Synchronization

/// The weight files that this process has mapped, whatever for.
public enum WeightFiles {
    private struct Reference {
        weak var file: MappedFile?
    }

    private static let files = Mutex<[Reference]>([])

    /// Takes note of a file, for as long as somebody holds it.
    static func watch(_ file: MappedFile) {
        files.withLock { files in
            files.removeAll { $0.file == nil }
            files.append(Reference(file: file))
        }
    }

    /// Checks that nobody has written to any of the files since they were mapped.
    ///
    /// Called before anything is kept: what was computed from bytes that have changed belongs to no model, and a result
    /// does not know all the files that it came from.
    ///
    /// - Throws: ``SafetensorsError/changed(path:)``.
    public static func checkUnchanged() throws(SafetensorsError) {
        let present = files.withLock { $0.compactMap(\.file) }
        for file in present { try file.checkUnchanged() }
    }

    /// Does `body`; where it fails and somebody has written to one of the files meanwhile, that is why.
    ///
    /// - Throws: ``SafetensorsError/changed(path:)``, or what `body` throws.
    public static func blamed<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            try checkUnchanged()
            throw error
        }
    }

    /// From now on, a process that reads bytes of these files which are gone, since the file was cut short or its disk
    /// fails, says so in one line and ends. For executables: without this it dies of SIGBUS.
    ///
    /// - Parameters:
    ///   - status: the exit code.
    ///   - prefix: what the line begins with, such as the name of the program.
    public static func endOnLoss(status: Int32, prefix: StaticString) {
        prefix.withUTF8Buffer { text in
            guard let start = text.baseAddress else { return }
            start.withMemoryRebound(to: CChar.self, capacity: text.count + 1) { mapped_files_end_with(status, $0) }
        }
    }
}
