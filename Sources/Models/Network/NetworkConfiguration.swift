import Compute
import FoundationEssentials

/// A network as its model's `config.json` describes it, known before any weights are read.
///
/// It is encoded as this package's own `config.json`.
public protocol NetworkConfiguration: Encodable, Sendable {
    var latentShape: LatentShape { get }
    /// Whether the network also predicts a variance.
    var hasVariance: Bool { get }
    var conditions: ConditionKind { get }
    /// The classes' names in the order of their ids; empty when the configuration names none.
    var classNames: [String] { get }
    /// The least and the greatest value of the training data, for models of pixels; nil when not known.
    var valueRange: ClosedRange<Double>? { get }
    /// The guidance scale that the model's author recommends; nil when not known.
    var guidanceScale: Double? { get }
    /// How many steps the model's author samples with; nil, the default, when not known.
    var steps: Int? { get }
    /// How many of the first channels the model's author guides; nil for all of them.
    var guidanceChannels: Int? { get }
    /// How many frames of a clip are shown in a second; nil, the default, for models of images.
    var framesPerSecond: Int? { get }
    /// The sizes of the transformer, for reports.
    var size: TransformerSize { get }
    /// The network in a line.
    var summary: String { get }
    /// The same without names and recommendations: all that an image depends on.
    var conventions: Self { get }

    /// Checks that the names of the tensors in `archive` are those of one network of this family.
    ///
    /// - Throws: ``ModelError``.
    func checkNames(in archive: WeightArchive) throws(ModelError)

    /// Whether the weights in `archive` can be guided, as far as the headers say.
    func canBeGuided(by archive: WeightArchive) -> Bool

    /// The memory that a run of `entries` batch entries takes in addition to the weights, in bytes.
    func runBytes(entries: Int, workers: Workers) -> Int

    /// What the networks of the family were trained to undo, as a JSON object with the keys by which a `config.json` says
    /// it; they count where the file has none of its own. `{}` unless the family says otherwise.
    var process: String { get }

    /// Loads the network.
    ///
    /// - Parameters:
    ///   - archive: the weights in the directory of the `config.json`.
    ///   - prompts: what encodes prompts, for networks that take them.
    ///   - precision: how wide the numbers of large matrices are in memory.
    ///   - engine: what prepares the weights, and multiplies by them.
    ///   - progress: called with the share that has been loaded, rising to 1.
    /// - Returns: the network.
    /// - Throws: ``ModelError`` when the weights are not those of the configuration, ``SafetensorsError`` when a tensor
    ///   cannot be loaded, `MachineError` when the engine cannot multiply by them here.
    func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork

    /// The network with random weights, the same for the same seed: for benchmarks.
    func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork

    /// The same network for latents of `factor` times the height and the width.
    func enlarged(by factor: Int) throws -> Self

    /// The same network for pictures of another size, where it can draw them.
    ///
    /// - Parameters:
    ///   - width: the picture's width, in pixels.
    ///   - height: its height.
    /// - Returns: the configuration, whose ``latentShape`` is that of the size.
    /// - Throws: ``ConfigProblem`` that says which sizes the model can draw.
    func sized(width: Int, height: Int) throws(ConfigProblem) -> Self

    /// The same network as a part of the pipeline of the class `name`, where that says something that `config.json` leaves
    /// out.
    func inPipeline(_ name: String) -> Self
}

extension NetworkConfiguration {
    public var process: String { "{}" }

    public var steps: Int? { nil }

    public var framesPerSecond: Int? { nil }

    public func sized(width: Int, height: Int) throws(ConfigProblem) -> Self {
        // Networks of pixels can at least draw their own size.
        if (width, height) == (latentShape.width, latentShape.height) { return self }
        throw ConfigProblem(
            "the model cannot draw \(width) x \(height) pixels: its positions are those of latents of "
                + "\(latentShape.width) x \(latentShape.height) alone; leave width and height out")
    }

    public func inPipeline(_ name: String) -> Self { self }
}

/// The sizes of a transformer.
public struct TransformerSize: Hashable, Sendable {
    /// The number of blocks, the width D of a token, the numbers of heads H and of tokens T.
    public let depth, width, heads, tokens: Int

    public init(depth: Int, width: Int, heads: Int, tokens: Int) {
        self.depth = depth
        self.width = width
        self.heads = heads
        self.tokens = tokens
    }
}
