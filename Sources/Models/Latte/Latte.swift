import Compute

/// A Latte (Ma et al., arXiv 2401.03048, variant 1): a DiT of clips, class-conditional or unconditional.
///
/// Block 0 mixes the tokens of each frame, block 1 those at each place in all frames, and so on by turns. All else is done
/// token by token, so ``DiTNetwork`` evaluates it: the order of the tokens, frame after frame, is never changed.
///
/// Source: https://github.com/Vchitect/Latte, models/latte.py.
public final class Latte: DiTNetwork {
    public let config: LatteConfig
    public let weights: DiTWeights
    public let times: Tensor?
    public let engine: any Engine
    public let sequences: [TokenSequences]

    /// Joins a configuration with its weights, which `engine` has prepared.
    init(config: LatteConfig, weights: LatteWeights, engine: any Engine) {
        self.config = config
        self.weights = weights.parts
        times = weights.times
        self.engine = engine
        sequences = config.sequences
    }

    public var parts: DiTConfig { config.frame }
    public var latentShape: LatentShape { config.latentShape }
    public var conditions: ConditionKind { config.conditions }
}

/// All weights of a Latte: a DiT's, and the positions of frames.
struct LatteWeights {
    let parts: DiTWeights
    /// (F, D).
    let times: Tensor

    /// The weights of `config`.
    ///
    /// - Parameters:
    ///   - config: the sizes.
    ///   - hasNullClass: whether the label table has a row for the null class.
    /// - Returns: the declaration.
    static func declared(_ config: LatteConfig, hasNullClass: Bool) -> Declared<LatteWeights> {
        let (frames, width) = (config.frames, config.frame.hiddenSize)
        let rows = config.isConditional ? config.frame.numClasses + (hasNullClass ? 1 : 0) : 0
        return Declared(
            DiTWeights.declared(config.frame, labelRows: rows, embedderPerBlock: false),
            .tensor("temp_embed", [frames, width], stored: [1, frames, width]) {
                SinCosPositions.table(frames: frames, width: width)
            }
        ) { LatteWeights(parts: $0, times: $1) }
    }

    private init(parts: DiTWeights, times: Tensor) {
        self.parts = parts
        self.times = times
    }

    /// Loads all weights that `config` calls for; `progress` is called with the share that has been loaded, rising to 1.
    ///
    /// - Throws: ``ModelError`` when the tensors are not those of `config`, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    init(
        from archive: WeightArchive, config: LatteConfig, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws {
        try DiTLayout.official.checkDepth(config.frame.depth, of: archive)
        let hasNullClass = config.canBeGuided(by: archive)
        let loaded = try Self.declared(config, hasNullClass: hasNullClass).load(
            from: archive, precision: engine.packsWeights ? .stored : precision, engine: engine,
            sizes: config.frame.sizes + ", num_frames \(config.frames)", of: "the Latte that config.json describes",
            isPart: DiTWeights.isPart, progress: progress)
        self.init(parts: loaded.parts.guided(hasNullClass), times: loaded.times)
    }

    /// Random weights of the right shapes, the same for the same seed.
    init(random config: LatteConfig, seed: UInt64, engine: any Engine) throws {
        let made = try Self.declared(config, hasNullClass: true).random(seed: seed, engine: engine)
        self.init(parts: made.parts.guided(config.isConditional), times: made.times)
    }
}

extension DiTWeights {
    /// The same, told whether the label table has a row for the null class.
    fileprivate func guided(_ hasNullClass: Bool) -> DiTWeights {
        var copy = self
        copy.hasNullClass = hasNullClass
        return copy
    }
}
