import Tensor

/// All weights of a Diffusion Transformer.
///
/// Shapes use D width, T tokens, M MLP width, C channels, P patch.
public struct DiTWeights: Sendable {
    /// What turns a timestep and a class into the vector that modulates the blocks.
    public struct ConditionEmbedder: Sendable {
        /// (D, 256), on the sinusoidal embedding of the timestep.
        public let timestepIn: Linear
        /// (D, D), after SiLU.
        public let timestepOut: Linear
        /// (classes + 1, D), the last row for the null class; (classes, D) without one.
        public let labels: Tensor
    }

    /// One adaLN-Zero block.
    public struct Block: Sendable {
        /// (6D, D): shift, scale and gate of the attention, then of the MLP.
        public let modulation: Linear
        /// (3D, D): queries, keys, values.
        public let qkv: Linear
        /// (D, D).
        public let attentionOut: Linear
        /// (M, D).
        public let mlpIn: Linear
        /// (D, M).
        public let mlpOut: Linear
    }

    /// (D, C P P), on a patch's values by channel, row and column.
    public let patchEmbedding: Linear
    /// (T, D).
    public let positions: Tensor
    /// One that all blocks share, or one for each block; the final layer uses the first.
    public let embedders: [ConditionEmbedder]
    /// The blocks, in order.
    public let blocks: [Block]
    /// (2D, D): shift, then scale.
    public let finalModulation: Linear
    /// (P P C_out, D), a patch's values by row, column and channel.
    public let finalProjection: Linear

    /// The names under which the tensors were found.
    public let layout: DiTLayout
    /// Whether the label tables have a row for the null class; without it there is no guidance.
    public let hasNullClass: Bool
    /// The names of tensors in the archive that are none of the model's, sorted.
    public let unusedTensors: [String]

    /// The embedder of block `index`.
    public func embedder(ofBlock index: Int) -> ConditionEmbedder {
        embedders.count == 1 ? embedders[0] : embedders[index]
    }
}
