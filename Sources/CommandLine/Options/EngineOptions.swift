import ArgumentParser
import Compute
import Pipeline

/// What multiplies, and how precisely.
struct EngineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What multiplies matrices: openblas, onednn, or auto for the faster one that is installed.",
            discussion: "Default: openblas for float32, onednn for less. Engines differ in the last bits of an image.")
    )
    var engine: EngineChoice?

    @Option(
        help: ArgumentHelp(
            "How precisely matrices are multiplied: float32, bfloat16 or int8. Default: float32.",
            discussion: "Less is faster on processors with instructions for it ('omnicache info'), and changes images.")
    )
    var precision: Precision?

    /// What was asked for, over what an image or a plan was made with.
    ///
    /// - Parameters:
    ///   - base: the engine and the precision where neither is given.
    ///   - log: told where `auto` does without the faster engine.
    /// - Returns: what multiplies, which is there.
    /// - Throws: `MachineError` when the machine does not have it.
    func arithmetic(over base: Arithmetic = .standard, log: Log) throws -> Arithmetic {
        let precision = precision ?? (engine == .openblas ? .float32 : base.precision)
        let arithmetic: Arithmetic
        switch engine {
        case nil where self.precision == nil: arithmetic = base
        case nil: arithmetic = Arithmetic(precision)
        case .openblas: arithmetic = Arithmetic(engine: .openblas, precision: precision)
        case .onednn: arithmetic = Arithmetic(engine: .onednn, precision: precision)
        case .auto:
            let (fastest, reason) = Arithmetic.fastest(precision)
            if let reason { log.message("OpenBLAS multiplies: \(reason)") }
            arithmetic = fastest
        }
        // Before anything else is done.
        _ = try arithmetic.open()
        return arithmetic
    }
}

/// The values of `--engine`.
enum EngineChoice: String, CaseIterable, ExpressibleByArgument {
    case openblas, onednn, auto
}

extension Precision: ExpressibleByArgument {}
