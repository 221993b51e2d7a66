/// What this machine, or the limits set to this process, do not have; every description is one line.
public enum MachineError: Error, Equatable, Sendable {
    /// A system library is not there, or cannot be used.
    case unusableLibrary(name: String, package: String, reason: String)
    /// `OPENBLAS_CORETYPE` asks for kernels whose instructions the processor lacks.
    case unusableKernels(name: String, lacks: String)
    /// An engine's products are wrong on this processor.
    case wrongKernels(engine: String, kernels: String, remedy: String)
    /// An engine has no kernels of a precision for this processor.
    case unusablePrecision(String, engine: String, available: [String])
    /// There is too little memory; sizes in bytes.
    case tooLittleMemory(purpose: String, needed: Int, available: Int, limits: String)
}

extension MachineError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableLibrary(let name, let package, let reason):
            "\(name) cannot be used: \(reason); on Debian it is in the package \(package)"
        case .unusableKernels(let name, let lacks):
            "OPENBLAS_CORETYPE=\(name): this processor has no \(lacks), which OpenBLAS's kernels of that name need; "
                + "unset it, and OpenBLAS chooses by the processor"
        case .wrongKernels(let engine, let kernels, let remedy):
            "\(engine) computes wrong results with its \(kernels) kernels on this processor; \(remedy)"
        case .unusablePrecision(let precision, let engine, let available):
            "--precision \(precision): \(engine) has no such kernels for this processor; it has "
                + (available.isEmpty ? "none" : available.joined(separator: ", "))
        case .tooLittleMemory(let purpose, let needed, let available, let limits):
            "not enough memory: \(purpose) takes \(Self.megabytes(needed)), and there is room for "
                + "\(Self.megabytes(available))\(limits.isEmpty ? "" : " under \(limits)"); "
                + "\(limits.isEmpty ? "free some" : "raise the limit"), or use a smaller model, weights of 16 bits or "
                + "fewer images in flight"
        }
    }

    private static func megabytes(_ bytes: Int) -> String {
        bytes < 1_000_000 ? "\(bytes / 1000) kB" : "\((bytes + 500_000) / 1_000_000) MB"
    }
}
