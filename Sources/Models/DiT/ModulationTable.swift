import Compute

/// The adaLN modulation of a run: shift, scale and gate of every block for every model call and batch entry.
///
/// It depends on (timestep, class) alone, and a product of two rows runs at a twentieth of the speed of one of
/// thirty. So the rows of a whole window of calls are computed together, one product per layer, when the first of
/// them is asked for. Windows are fixed by the run, so their bits do not depend on which calls are evaluated.
public final class ModulationTable {
    /// The timestep of each model call of the run.
    public let timesteps: [Double]
    /// The class of each batch entry; the null class is the number of classes.
    public let classes: [Int]

    let network: any DiTNetwork
    private let workers: Workers
    private let features: TimestepEmbedding
    private var window: CallWindow

    private let sinusoids: Tensor  // (rows, 256)
    private let hidden: Tensor  // (rows, D)
    private let condition: Tensor  // (rows, D), SiLU of timestep plus label embedding
    private let blocks: [Tensor]  // depth times (rows, 6D)
    private let final: Tensor  // (rows, 2D)

    /// Allocates the table; nothing is computed yet.
    ///
    /// - Parameters:
    ///   - network: the network whose weights make the table.
    ///   - timesteps: the timestep of each model call.
    ///   - classes: the class of each batch entry: a row of the label table.
    ///   - workers: the threads to compute it with.
    public init(network: any DiTNetwork, timesteps: [Double], classes: [Int], workers: Workers) {
        let config = network.parts
        let labels = network.weights.hasNullClass ? config.numClasses + 1 : config.numClasses
        precondition(classes.allSatisfy((0..<labels).contains), "classes \(classes) of a table of \(labels)")
        self.network = network
        self.timesteps = timesteps
        self.classes = classes
        self.workers = workers
        features = TimestepEmbedding(frequencyShift: config.timestepFrequencyShift)
        window = CallWindow(calls: timesteps.count)
        let rows = window.size * classes.count
        let width = config.hiddenSize
        sinusoids = Tensor([rows, 2 * TimestepEmbedding.half])
        hidden = Tensor([rows, width])
        condition = Tensor([rows, width])
        blocks = (0..<config.depth).map { _ in Tensor([rows, 6 * width]) }
        final = Tensor([rows, 2 * width])
    }

    /// What a table of a whole window takes, in bytes.
    static func bytes(_ config: DiTConfig, entries: Int) -> Int {
        let perRow = 2 * TimestepEmbedding.half + (4 + 6 * config.depth) * config.hiddenSize
        return MemoryLayout<Float>.stride * CallWindow.largest * entries * perRow
    }

    /// The modulation of `block` at a call whose window has been computed by ``prepare(call:)``.
    func block(_ block: Int, call: Int, entry: Int) -> BlockModulation {
        let width = network.parts.hiddenSize
        return BlockModulation(
            UnsafePointer(blocks[block].pointer) + row(call: call, entry: entry) * 6 * width, width: width)
    }

    /// The final layer's shift and scale, each (D), at a call whose window has been computed.
    func finalLayer(call: Int, entry: Int) -> (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>) {
        let width = network.parts.hiddenSize
        let row = UnsafePointer(final.pointer) + row(call: call, entry: entry) * 2 * width
        return (row, row + width)
    }

    /// Writes what the attention of `block` reads: the tokens, normalised and modulated.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - call: the model call; its window must have been computed, as it has inside a forward.
    ///   - entry: the batch entry.
    ///   - tokens: the hidden states that enter the block, (T, D).
    ///   - output: (T, D).
    public func modulateAttention(
        ofBlock block: Int, call: Int, entry: Int, tokens: UnsafeBufferPointer<Float>, into output: Tensor
    ) {
        precondition(tokens.count == output.count, "\(output.shape) has no room for \(tokens.count) elements")
        guard let source = tokens.baseAddress else { return }
        let (config, width) = (network.parts, network.parts.hiddenSize)
        let rows = self.block(block, call: call, entry: entry)
        LayerNorm.modulated(
            source, rows: tokens.count / width, width: width, epsilon: Float(config.normEpsilon),
            shift: rows.attention.shift, scale: rows.attention.scale, into: output.pointer)
    }

    private func row(call: Int, entry: Int) -> Int {
        window.row(of: call) * classes.count + entry
    }

    /// Computes the window of `call`, unless it is there already.
    func prepare(call: Int) {
        guard window.move(to: call) else { return }
        let rows = window.calls.count * classes.count

        for (index, call) in window.calls.enumerated() {
            for entry in classes.indices {
                let row = index * classes.count + entry
                features.write(timestep: timesteps[call], to: sinusoids.pointer + row * 2 * TimestepEmbedding.half)
            }
        }
        let weights = network.weights
        embed(with: weights.embedders[0], rows: rows)
        weights.finalModulation(condition.pointer, rows: rows, into: final.pointer, workers: workers)
        for (index, block) in weights.blocks.enumerated() {
            // diffusers stores an embedder per block; converted checkpoints repeat the same one.
            if index > 0, weights.embedders.count > 1 { embed(with: weights.embedder(ofBlock: index), rows: rows) }
            block.modulation(condition.pointer, rows: rows, into: blocks[index].pointer, workers: workers)
        }
    }

    /// condition = SiLU(MLP(sinusoids) + label), the input of every modulation layer; without a label where there are no
    /// classes.
    private func embed(with embedder: DiTWeights.ConditionEmbedder, rows: Int) {
        let width = network.parts.hiddenSize
        embedder.timestepIn(sinusoids.pointer, rows: rows, into: hidden.pointer, activation: .silu, workers: workers)
        embedder.timestepOut(hidden.pointer, rows: rows, into: condition.pointer, workers: workers)
        for row in 0..<rows {
            let target = condition.pointer + row * width
            if let labels = embedder.labels {
                Elementwise.add(
                    labels.pointer + classes[row % classes.count] * width, count: width, to: target)
            }
            Activation.silu.apply(to: target, count: width)
        }
    }
}
