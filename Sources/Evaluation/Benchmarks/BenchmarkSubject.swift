import Compute
import Models
import Pipeline
import Sampling

/// The model that a benchmark is about, loaded.
public struct BenchmarkSubject {
    /// What it is called.
    public let name: String
    /// The network, its weights at 32 bits.
    public let network: any DenoisingNetwork
    /// What its latents are decoded by; nil where there is nothing.
    public let decoder: DecoderSource?
    let process: DiffusionProcess
    /// What has prepared the network, and multiplies.
    let engine: any Engine

    /// What its `config.json` says, or would say.
    public let config: any NetworkConfiguration

    /// The sizes that can be made.
    public static var sizeNames: [String] { sizes.map(\.name) }

    /// The published sizes of all families, under names that tell them apart: with the family's before it where an earlier
    /// family has a size of the same name.
    private static var sizes: [(name: String, title: String, size: NetworkFamily.Size)] {
        var seen: Set<String> = []
        return NetworkFamily.all.flatMap { family in
            family.sizes.map { size in
                let title = "\(family.name)-\(size.name)"
                return (seen.insert(size.name).inserted ? size.name : title, title, size)
            }
        }
    }

    /// The tokens of a prompt.
    private static let promptTokens = 32
    /// Seeds the random weights.
    private static let seed: UInt64 = 5

    /// The model in a directory, which is loaded.
    ///
    /// - Throws: ``ModelError`` or ``SafetensorsError``, or ``PipelineError`` when the decoder cannot be used.
    public init(
        directory: ModelDirectory, decoder: DecoderChoice = .own, engine: any Engine = OpenBLASEngine(),
        progress: ((Double) -> Void)? = nil
    ) throws {
        self.engine = engine
        name = directory.name
        self.decoder = try directory.decoder(decoder)
        process = directory.process
        config = directory.config
        // The time of a forward does not depend on what a prompt's states are.
        let prompts = config.conditions.promptRules?.width.map {
            RandomPromptEncoder(width: $0, tokens: Self.promptTokens)
        }
        network = try directory.load(prompts: prompts, engine: engine, progress: progress)
    }

    /// A network of a published size, with random weights that are made in memory.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` for a size that is not one of ``sizeNames``.
    public init(size: String, engine: any Engine = OpenBLASEngine()) throws {
        let asked = size.uppercased()
        guard let found = Self.sizes.first(where: { [$0.name.uppercased(), $0.title.uppercased()].contains(asked) })
        else {
            throw PipelineError.usage("--size \(size): not one of \(Self.sizeNames.joined(separator: ", "))")
        }
        try self.init(random: found.size.configuration(), name: "\(found.title), random weights", engine: engine)
    }

    /// A network of the given configuration with random weights.
    init(random config: any NetworkConfiguration, name: String, engine: any Engine = OpenBLASEngine()) throws {
        self.engine = engine
        self.name = name
        self.config = config
        decoder = nil
        // Betas as gentle as these keep latents finite, whatever the weights.
        process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.002))
        network = try config.random(seed: Self.seed, engine: engine)
    }

    /// How many branches a guided forward has: one for models that cannot be guided.
    var branches: Int { network.canBeGuided ? 2 : 1 }
    var latentShape: [Int] { network.latentShape.dimensions }
}
