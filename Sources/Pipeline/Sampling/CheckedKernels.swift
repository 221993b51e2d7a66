import Compute
import FoundationEssentials

/// Remembers which engines have been found right on this machine, so that each is checked once.
enum CheckedKernels {
    /// Checks an engine, which is open, unless it has been found right with this library on this processor.
    ///
    /// - Throws: `MachineError.wrongKernels` before anything is drawn with them.
    static func check(_ engine: any Engine) throws(MachineError) {
        let key = SHA256.hexadecimal(engine.identity.utf8)
        let memory = UserCache.folder("kernels").map { "\($0)/\(key)" }
        if let memory, FileManager.default.fileExists(atPath: memory) { return }
        try KernelCheck.check(engine)
        if let memory { UserCache.remember(engine.identity.utf8, at: memory) }
    }
}
