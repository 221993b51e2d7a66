import Compute

/// The modulation of a run (adaLN-single): one network of the timestep for all blocks, and a table of each block that is
/// added to what comes out of it.
///
/// All entries share it, as it does not depend on the prompt. It is computed for a ``CallWindow`` at a time.
final class PixArtModulation {
    private let network: any PixArtNetwork
    private let timesteps: [Double]
    private let workers: Workers
    /// (D): the embedding of the picture's size; nil where it is no condition.
    private let size: Tensor?
    private var window: CallWindow
    /// The call that ``blocks`` and ``final`` are of.
    private var current: Int?

    private let scratch: SinusoidEmbedder.Scratch
    private let embedded: Tensor  // (calls, D), the embedding of timestep and size
    private let activated: Tensor  // (calls, D), its SiLU
    private let shared: Tensor  // (calls, 6D), what all blocks have in common
    private let blocks: Tensor  // (blocks, 6D)
    private let final: Tensor  // (2, D)

    /// Allocates what a run with these timesteps needs; only the embedding of the size is computed.
    init(network: any PixArtNetwork, timesteps: [Double], workers: Workers) {
        let (config, width) = (network.parts, network.parts.hiddenSize)
        self.network = network
        self.timesteps = timesteps
        self.workers = workers
        size = network.weights.size?.embed(
            height: PixArtConfig.pixelsPerLatent * config.height, width: PixArtConfig.pixelsPerLatent * config.width,
            workers: workers)
        window = CallWindow(calls: timesteps.count)
        scratch = SinusoidEmbedder.Scratch(rows: window.size, width: width)
        embedded = Tensor([window.size, width])
        activated = Tensor([window.size, width])
        shared = Tensor([window.size, 6 * width])
        blocks = Tensor([network.weights.blocks.count, 6 * width])
        final = Tensor([2, width])
    }

    /// What the modulation of `blocks` blocks and a whole window takes, in bytes.
    static func bytes(_ config: PixArtConfig, blocks: Int) -> Int {
        let perCall = TimestepEmbedding.width + 9 * config.hiddenSize
        let ofCall = (6 * blocks + 2) * config.hiddenSize
        return MemoryLayout<Float>.stride * (CallWindow.largest * perCall + ofCall)
    }

    /// The modulation of a block at the call that has been prepared.
    func block(_ index: Int) -> BlockModulation {
        let width = network.parts.hiddenSize
        return BlockModulation(UnsafePointer(blocks.pointer) + index * 6 * width, width: width)
    }

    /// The final layer's shift and scale, each (D), at the call that has been prepared.
    var finalLayer: (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>) {
        (UnsafePointer(final.pointer), UnsafePointer(final.pointer) + network.parts.hiddenSize)
    }

    /// Computes the modulation of a call, unless it is there already.
    func prepare(call: Int) {
        guard call != current else { return }
        if window.move(to: call) { computeWindow() }
        current = call
        let (weights, width, row) = (network.weights, network.parts.hiddenSize, window.row(of: call))
        for (index, block) in weights.blocks.enumerated() {
            let target = blocks.pointer + index * 6 * width
            target.update(from: block.modulationTable.pointer, count: 6 * width)
            Elementwise.add(shared.pointer + row * 6 * width, count: 6 * width, to: target)
        }
        final.copy(from: weights.finalTable)
        for half in 0..<2 {
            Elementwise.add(embedded.pointer + row * width, count: width, to: final.pointer + half * width)
        }
    }

    private func computeWindow() {
        let (weights, width, count) = (network.weights, network.parts.hiddenSize, window.calls.count)
        weights.timestep.embed(timesteps[window.calls], into: embedded.pointer, workers: workers, scratch: scratch)
        if let size {
            for row in 0..<count { Elementwise.add(size.pointer, count: width, to: embedded.pointer + row * width) }
        }
        activated.copy(from: embedded)
        Activation.silu.apply(to: activated.pointer, count: count * width)
        weights.modulation(activated.pointer, rows: count, into: shared.pointer, workers: workers)
    }
}
