import Compute
import Glibc

/// The adaLN modulation of a run: shift, scale and gate of every block for every model call and batch entry.
///
/// It depends on (timestep, class) alone, and a product of two rows runs at a twentieth of the speed of one of
/// thirty. So the rows of a whole window of calls are computed together, one product per layer, when the first of
/// them is asked for. Windows are fixed by the run, so their bits do not depend on which calls are evaluated.
public final class ModulationTable {
    /// The model calls that share one product.
    public static let callsPerWindow = 32

    /// The timestep of each model call of the run.
    public let timesteps: [Double]
    /// The class of each batch entry; the null class is the number of classes.
    public let classes: [Int]

    let network: DiT
    private let workers: Workers
    private let features: TimestepEmbedding
    private let windowCalls: Int
    private var window: Range<Int>

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
    public init(network: DiT, timesteps: [Double], classes: [Int], workers: Workers) {
        let config = network.config
        let labels = network.weights.hasNullClass ? config.numClasses + 1 : config.numClasses
        precondition(classes.allSatisfy((0..<labels).contains), "classes \(classes) of a table of \(labels)")
        self.network = network
        self.timesteps = timesteps
        self.classes = classes
        self.workers = workers
        features = TimestepEmbedding(frequencyShift: config.timestepFrequencyShift)
        windowCalls = max(1, min(timesteps.count, Self.callsPerWindow))
        window = 0..<0
        let rows = windowCalls * classes.count
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
        return MemoryLayout<Float>.stride * callsPerWindow * entries * perRow
    }

    /// The six vectors of a block, each (D), in the order in which checkpoints store them.
    struct Block {
        let attention: (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
        let attentionGate: UnsafePointer<Float>
        let mlp: (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
        let mlpGate: UnsafePointer<Float>
    }

    /// The modulation of `block` at a call whose window has been computed by ``prepare(call:)``.
    func block(_ block: Int, call: Int, entry: Int) -> Block {
        let width = network.config.hiddenSize
        let row = UnsafePointer(blocks[block].pointer) + row(call: call, entry: entry) * 6 * width
        return Block(
            attention: (row, row + width), attentionGate: row + 2 * width, mlp: (row + 3 * width, row + 4 * width),
            mlpGate: row + 5 * width)
    }

    /// The final layer's shift and scale, each (D), at a call whose window has been computed.
    func finalLayer(call: Int, entry: Int) -> (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>) {
        let width = network.config.hiddenSize
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
        let config = network.config
        let rows = self.block(block, call: call, entry: entry)
        LayerNorm.modulated(
            source, rows: config.tokens, width: config.hiddenSize, epsilon: Float(config.normEpsilon),
            shift: rows.attention.shift, scale: rows.attention.scale, into: output.pointer)
    }

    private func row(call: Int, entry: Int) -> Int {
        precondition(window.contains(call), "the modulation of call \(call) has not been prepared")
        return (call - window.lowerBound) * classes.count + entry
    }

    /// Computes the window of `call`, unless it is there already.
    func prepare(call: Int) {
        guard !window.contains(call) else { return }
        precondition(timesteps.indices.contains(call), "call \(call) of a run of \(timesteps.count)")
        let first = call / windowCalls * windowCalls
        window = first..<min(first + windowCalls, timesteps.count)
        let rows = window.count * classes.count

        for (index, call) in window.enumerated() {
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

    /// condition = SiLU(MLP(sinusoids) + label), the input of every modulation layer.
    private func embed(with embedder: DiTWeights.ConditionEmbedder, rows: Int) {
        let width = network.config.hiddenSize
        embedder.timestepIn(sinusoids.pointer, rows: rows, into: hidden.pointer, activation: .silu, workers: workers)
        embedder.timestepOut(hidden.pointer, rows: rows, into: condition.pointer, workers: workers)
        for row in 0..<rows {
            let label = classes[row % classes.count]
            let target = condition.pointer + row * width
            Elementwise.add(embedder.labels.pointer + label * width, count: width, to: target)
            Activation.silu.apply(to: target, count: width)
        }
    }
}

/// The sinusoidal features of a timestep, as the two reference implementations compute them.
struct TimestepEmbedding {
    /// Half the number of features: as many cosines as sines.
    static let half = DiTConfig.timestepEmbeddingWidth / 2

    private let frequencies: [Float]

    /// - Parameter frequencyShift: what is subtracted from 128 in the exponent's denominator.
    init(frequencyShift: Int) {
        // Single precision in the references' own order of operations: at t = 999 a frequency's last bit moves the
        // phase by 6e-5, more than the rest of the network's rounding.
        let scale = -Float(log(10_000.0))
        frequencies = (0..<Self.half).map { index in
            let exponent = scale * Float(index) / Float(Self.half - frequencyShift)
            return Float(exp(Double(exponent)))
        }
    }

    /// Writes 128 cosines, then 128 sines of t times the frequencies (Vaswani et al., arXiv 1706.03762, 3.5).
    func write(timestep: Double, to features: UnsafeMutablePointer<Float>) {
        for (index, frequency) in frequencies.enumerated() {
            let phase = Double(Float(timestep) * frequency)
            features[index] = Float(cos(phase))
            features[Self.half + index] = Float(sin(phase))
        }
    }
}
