import Compute
import Glibc

/// All weights of a Diffusion Transformer, declared once under the names of facebookresearch/DiT.
///
/// Shapes use D width, T tokens, M MLP width, C channels, P patch.
public struct DiTWeights: Sendable {
    /// (D, C P P), on a patch's values by channel, row and column.
    public let patchEmbedding: Linear
    /// (T, D).
    public let positions: Tensor
    /// One that all blocks share, or one for each block; the final layer uses the first.
    public let embedders: [ConditionEmbedder]
    public let blocks: [DiTBlock]
    /// (2D, D): shift, then scale.
    public let finalModulation: Linear
    /// (P P C_out, D), a patch's values by row, column and channel.
    public let finalProjection: Linear

    /// The names under which the tensors were found.
    public internal(set) var layout = DiTLayout.official
    /// Whether the label tables have a row for the null class; without it there is no guidance.
    public internal(set) var hasNullClass = true
    /// The names of tensors in the archive that are none of the model's, sorted.
    public internal(set) var unusedTensors: [String] = []

    /// The weights of `config`.
    ///
    /// - Parameters:
    ///   - config: the sizes.
    ///   - labelRows: the rows of the label tables, with or without one for the null class; 0 where there are no classes.
    ///   - perBlock: whether each block has a condition embedder of its own.
    /// - Returns: the declaration.
    static func declared(_ config: DiTConfig, labelRows: Int, embedderPerBlock perBlock: Bool) -> Declared<DiTWeights> {
        let (width, patch, channels) = (config.hiddenSize, config.patchSize, config.inChannels)
        let embedder = ConditionEmbedder.declared(width, labelRows: labelRows)
        return Declared(
            .linear(
                "x_embedder.proj", channels * patch * patch, to: width, stored: [channels, patch, patch], role: .edge),
            .tensor("pos_embed", [config.tokens, width], stored: [1, config.tokens, width]) {
                SinCosPositions.table(gridSize: config.gridSize, width: width)
            },
            .list(
                perBlock ? (0..<config.depth).map { embedder.inside("blocks.\($0)") } : [embedder],
                joining: { $0.hasSameValues(as: $1) }),
            .list((0..<config.depth).map { DiTBlock.declared(config).inside("blocks.\($0)") }),
            .linear(
                "final_layer.adaLN_modulation.1", width, to: 2 * width, gain: DiTBlock.modulationGain, role: .modulation
            ),
            .linear("final_layer.linear", width, to: patch * patch * config.outChannels, role: .edge)
        ) {
            DiTWeights(
                patchEmbedding: $0, positions: $1, embedders: $2, blocks: $3, finalModulation: $4, finalProjection: $5)
        }
    }

    /// The embedder of block `index`.
    public func embedder(ofBlock index: Int) -> ConditionEmbedder {
        embedders.count == 1 ? embedders[0] : embedders[index]
    }
}

extension DiTWeights {
    /// What turns a timestep and a class into the vector that modulates the blocks.
    public struct ConditionEmbedder: Sendable {
        /// (D, 256), on the sinusoidal embedding of the timestep.
        public let timestepIn: Linear
        /// (D, D), after SiLU.
        public let timestepOut: Linear
        /// (classes + 1, D), the last row for the null class; (classes, D) without one; nil where there are no classes.
        public let labels: Tensor?

        static func declared(_ width: Int, labelRows: Int) -> Declared<ConditionEmbedder> {
            Declared(
                .linear("t_embedder.mlp.0", TimestepEmbedding.width, to: width, role: .edge),
                .linear("t_embedder.mlp.2", width, to: width, role: .edge),
                .optional(.tensor("y_embedder.embedding_table.weight", [labelRows, width]), if: labelRows > 0)
            ) { ConditionEmbedder(timestepIn: $0, timestepOut: $1, labels: $2) }
        }

        fileprivate func hasSameValues(as other: Self) -> Bool {
            timestepIn.hasSameValues(as: other.timestepIn) && timestepOut.hasSameValues(as: other.timestepOut)
                && (labels.flatMap { own in other.labels.map(own.hasSameValues) } ?? true)
        }
    }
}

extension DiTWeights {
    /// Random weights of the right shapes, the same for the same seed.
    package init(random config: DiTConfig, seed: UInt64, engine: any Engine = OpenBLASEngine()) throws {
        self = try Self.declared(config, labelRows: config.numClasses + 1, embedderPerBlock: false)
            .random(seed: seed, engine: engine)
    }

    /// How many numbers there are, the fixed positions left out.
    package func parameterCount(_ config: DiTConfig) -> Int {
        Self.declared(config, labelRows: embedders[0].labels?.shape[0] ?? 0, embedderPerBlock: embedders.count > 1)
            .parameterCount
    }
}

extension Linear {
    fileprivate func hasSameValues(as other: Linear) -> Bool {
        weight.isIdentical(to: other.weight) && bias.hasSameValues(as: other.bias)
    }
}

extension Tensor {
    fileprivate func hasSameValues(as other: Tensor) -> Bool {
        count == other.count && memcmp(pointer, other.pointer, 4 * count) == 0
    }
}
