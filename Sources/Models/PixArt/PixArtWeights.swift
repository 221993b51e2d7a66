import Compute

/// All weights of a PixArt, declared once under the names of its authors' checkpoints.
///
/// Shapes use D width, M MLP width, E width of a caption's token, C channels, P patch.
public struct PixArtWeights: Sendable {
    /// (D, C P P), on a patch's values by channel, row and column.
    public let patchEmbedding: Linear
    /// On the sinusoidal embedding of the timestep, to (D).
    let timestep: SinusoidEmbedder
    /// On those of the picture's height, of its width and of their ratio, each to (D/3).
    let size: SizeEmbedder?
    /// (6D, D): the part of the modulation that all blocks share.
    public let modulation: Linear
    /// (D, E), before the activation.
    public let captionIn: Linear
    /// (D, D), behind it.
    public let captionOut: Linear
    public let blocks: [PixArtBlock]
    /// (2, D): what is added to the timestep's embedding for shift and scale.
    public let finalTable: Tensor
    /// (P P C_out, D), a patch's values by row, column and channel.
    public let finalProjection: Linear

    /// The weights of `config`; with blocks over space and time by turns where `isOfClips`.
    static func declared(_ config: PixArtConfig, isOfClips: Bool = false) -> Declared<PixArtWeights> {
        let (width, patch, channels) = (config.hiddenSize, config.patchSize, config.inChannels)
        return Declared(
            .linear(
                "x_embedder.proj", channels * patch * patch, to: width, stored: [channels, patch, patch], role: .edge),
            SinusoidEmbedder.declared("t_embedder", to: width),
            .optional(SizeEmbedder.declared(to: width / 3), if: config.hasSizeConditions),
            .linear("t_block.1", width, to: 6 * width, gain: PixArtBlock.modulationGain, role: .modulation),
            .linear("y_embedder.y_proj.fc1", config.captionWidth, to: width, role: .edge),
            .linear("y_embedder.y_proj.fc2", width, to: width, role: .edge),
            .list(
                (0..<config.depth).flatMap { index in
                    let block = PixArtBlock.declared(config).inside("blocks.\(index)")
                    guard isOfClips else { return [block] }
                    let overTime = PixArtBlock.declared(config, readsCaption: false)
                    return [block, overTime.inside("temporal_blocks.\(index)")]
                }),
            .tensor("final_layer.scale_shift_table", [2, width]),
            .linear("final_layer.linear", width, to: patch * patch * config.outChannels, role: .edge)
        ) {
            PixArtWeights(
                patchEmbedding: $0, timestep: $1, size: $2, modulation: $3, captionIn: $4, captionOut: $5, blocks: $6,
                finalTable: $7, finalProjection: $8)
        }
    }
}

/// What turns a number into a vector: its sines and cosines, then two layers.
struct SinusoidEmbedder: Sendable {
    /// (N, 256), before SiLU.
    let first: Linear
    /// (N, N), behind it.
    let second: Linear

    static func declared(_ name: String, to outputs: Int) -> Declared<SinusoidEmbedder> {
        Declared(
            .linear(name + ".mlp.0", TimestepEmbedding.width, to: outputs, role: .edge),
            .linear(name + ".mlp.2", outputs, to: outputs, role: .edge)
        ) { SinusoidEmbedder(first: $0, second: $1) }
    }

    /// Memory for the embedding of some numbers at a time.
    final class Scratch {
        fileprivate let sinusoids: Tensor  // (rows, 256)
        fileprivate let hidden: Tensor  // (rows, N)

        init(rows: Int, width: Int) {
            sinusoids = Tensor([rows, TimestepEmbedding.width])
            hidden = Tensor([rows, width])
        }
    }

    /// Writes the vectors (count, N) of `numbers`.
    func embed(
        _ numbers: some Collection<Double>, into output: UnsafeMutablePointer<Float>, workers: Workers, scratch: Scratch
    ) {
        let features = TimestepEmbedding(frequencyShift: 0)
        for (row, number) in numbers.enumerated() {
            features.write(timestep: number, to: scratch.sinusoids.pointer + row * TimestepEmbedding.width)
        }
        first(
            scratch.sinusoids.pointer, rows: numbers.count, into: scratch.hidden.pointer, activation: .silu,
            workers: workers)
        second(scratch.hidden.pointer, rows: numbers.count, into: output, workers: workers)
    }
}

/// What turns the size of a picture into a vector, in alpha's model of 1024 pixels.
struct SizeEmbedder: Sendable {
    /// Of the height, and of the width, in pixels.
    let side: SinusoidEmbedder
    /// Of the height divided by the width.
    let aspectRatio: SinusoidEmbedder

    static func declared(to third: Int) -> Declared<SizeEmbedder> {
        Declared(
            SinusoidEmbedder.declared("csize_embedder", to: third), SinusoidEmbedder.declared("ar_embedder", to: third)
        ) { SizeEmbedder(side: $0, aspectRatio: $1) }
    }

    /// The vector (D) of a picture: of its height, its width and their ratio, a third each.
    func embed(height: Int, width: Int, workers: Workers) -> Tensor {
        let third = side.second.outputWidth
        let vector = Tensor([3 * third])
        let scratch = SinusoidEmbedder.Scratch(rows: 2, width: third)
        side.embed([Double(height), Double(width)], into: vector.pointer, workers: workers, scratch: scratch)
        aspectRatio.embed(
            [Double(height) / Double(width)], into: vector.pointer + 2 * third, workers: workers, scratch: scratch)
        return vector
    }
}
