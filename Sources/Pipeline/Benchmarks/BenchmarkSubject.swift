import Models
import Sampling
import Tensor

/// The model that a benchmark is about, loaded.
public struct BenchmarkSubject {
    /// What it is called.
    public let name: String
    /// The network, its weights at 32 bits.
    public let network: DiT
    /// What its latents are decoded by; nil where there is nothing.
    public let decoder: DecoderSource?
    let process: DiffusionProcess

    /// A published size, as `DiT_models` of https://github.com/facebookresearch/DiT names them: depth, D, H and P.
    private static let sizes: [(name: String, depth: Int, width: Int, heads: Int, patch: Int)] =
        [("S", 12, 384, 6), ("B", 12, 768, 12), ("L", 24, 1024, 16), ("XL", 28, 1152, 16)].flatMap { size in
            [2, 4, 8].map { ("\(size.0)/\($0)", size.1, size.2, size.3, $0) }
        }

    /// The sizes that can be made.
    public static var sizeNames: [String] { sizes.map(\.name) }

    /// Seeds the random weights.
    private static let seed: UInt64 = 5

    /// The model in a directory, which is loaded.
    ///
    /// - Throws: ``ModelError`` or ``SafetensorsError``, or ``PipelineError`` when the decoder cannot be used.
    public init(
        directory: ModelDirectory, decoder: DecoderChoice = .own, progress: ((Double) -> Void)? = nil
    ) throws {
        name = directory.name
        self.decoder = try directory.decoder(decoder)
        process = directory.process
        network = try directory.load(progress: progress)
    }

    /// A DiT of a published size for 256 x 256 images, with random weights that are made in memory.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` for a size that is not one of ``sizeNames``.
    public init(size: String) throws {
        guard let found = Self.sizes.first(where: { $0.name == size.uppercased() }) else {
            throw PipelineError.usage("--size \(size): not one of \(Self.sizeNames.joined(separator: ", "))")
        }
        let config = try DiTConfig(
            depth: found.depth, hiddenSize: found.width, heads: found.heads, patchSize: found.patch, inputSize: 32,
            inChannels: 4, learnSigma: true, numClasses: 1000)
        try self.init(random: config, name: "DiT-\(found.name), random weights")
    }

    /// A network of the given dimensions with random weights.
    init(random config: DiTConfig, name: String) throws {
        self.name = name
        decoder = nil
        // Betas as gentle as these keep latents finite, whatever the weights.
        process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.002))
        network = DiT(config: config, weights: try DiTWeights(random: config, seed: Self.seed))
    }

    var config: DiTConfig { network.config }
    /// How many branches a guided forward has: one for models that cannot be guided.
    var branches: Int { network.weights.hasNullClass ? 2 : 1 }
    var latentShape: [Int] { [config.inChannels, config.inputSize, config.inputSize] }
}
