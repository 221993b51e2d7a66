/// The engines that there are.
public enum EngineKind: String, CaseIterable, Codable, Sendable {
    case openblas
    case onednn
}

/// The precision in which the large products are multiplied; sums are always of at least 32 bits, and so is all that is no
/// product.
public enum Precision: String, CaseIterable, Codable, Sendable {
    case float32
    case bfloat16
    case int8
}

/// Which engine multiplies, and in which precision: part of what makes an image what it is.
public struct Arithmetic: Hashable, Codable, Sendable {
    public let engine: EngineKind
    public let precision: Precision

    /// Joins an engine with a precision.
    public init(engine: EngineKind, precision: Precision) {
        self.engine = engine
        self.precision = precision
    }

    /// A precision with the engine that is used for it where none is asked for: OpenBLAS has 32 bits alone.
    public init(_ precision: Precision) {
        self.init(engine: precision == .float32 ? .openblas : .onednn, precision: precision)
    }

    /// What is used where nothing else is asked for, and what everything else is compared with: OpenBLAS in 32 bits.
    public static let standard = Arithmetic(.float32)
}

extension Arithmetic {
    /// Opens the engine.
    ///
    /// - Throws: ``MachineError`` when the machine does not have it, or it cannot multiply in this precision here.
    public func open() throws(MachineError) -> any Engine {
        switch engine {
        case .openblas:
            guard precision == .float32 else {
                throw .unusablePrecision(
                    precision.rawValue, engine: "OpenBLAS", available: [Precision.float32.rawValue])
            }
            try BLAS.open()
            return OpenBLASEngine()
        case .onednn: return try OneDNNEngine(precision: precision)
        }
    }
}

extension Arithmetic {
    /// The fastest engine of a precision that this machine has; with the reason where it is OpenBLAS for lack of another.
    public static func fastest(_ precision: Precision) -> (Arithmetic, reason: String?) {
        do throws(MachineError) {
            let engine = try OneDNNEngine(precision: precision)
            // With narrower registers than those of AVX-512 it is no faster.
            return (BLAS.hasWideKernels || precision != .float32 ? engine.arithmetic : .standard, nil)
        } catch {
            return (Arithmetic(engine: .openblas, precision: precision), "\(error)")
        }
    }

    /// What this machine can multiply with; the standard first, if it has OpenBLAS.
    public static var available: [Arithmetic] {
        ((try? BLAS.open()) == nil ? [] : [.standard])
            + OneDNN.precisions.map { Arithmetic(engine: .onednn, precision: $0) }
    }

    /// What this machine is fastest with, if errors of its precision do not matter.
    public static var recommended: Arithmetic {
        if OneDNN.precisions.contains(.bfloat16) { return Arithmetic(engine: .onednn, precision: .bfloat16) }
        return fastest(.float32).0
    }
}

extension Arithmetic: CustomStringConvertible {
    /// In words, for messages.
    public var description: String { "\(engine.rawValue) \(precision.rawValue)" }
}
