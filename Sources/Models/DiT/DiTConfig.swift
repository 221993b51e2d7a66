/// The sizes and conventions of a class-conditional Diffusion Transformer (Peebles & Xie, arXiv 2212.09748).
///
/// A value of this type has been validated: its sizes are positive and bounded, and fit one another. What the model
/// predicts and on which noise schedule is not part of it.
public struct DiTConfig: Equatable, Sendable {
    /// The width of the sinusoidal timestep embedding.
    public static let timestepEmbeddingWidth = 256

    /// The number of blocks.
    public let depth: Int
    /// The width D of a token.
    public let hiddenSize: Int
    /// The number of attention heads H.
    public let heads: Int
    /// The side P of a square patch, in latent pixels.
    public let patchSize: Int
    /// The side of the square input, in latent pixels.
    public let inputSize: Int
    /// The number of input channels C.
    public let inChannels: Int
    /// Whether the model also outputs a variance, in C more channels after the first C.
    public let learnSigma: Bool
    /// The number of classes, without the null class.
    public let numClasses: Int
    /// The classes' names in the order of their ids; empty when the configuration names none.
    public internal(set) var classNames: [String]
    /// The width of the MLP's hidden layer as a multiple of D.
    public let mlpRatio: Double
    /// What the layer norms before the attention and before the final projection add to the variance.
    public let normEpsilon: Double
    /// What the layer norm before the MLP adds to the variance.
    public let mlpNormEpsilon: Double
    /// The s in the timestep frequencies exp(-ln(10000) i / (128 - s)), i = 0, …, 127: 0 in facebookresearch/DiT, 1 in
    /// diffusers.
    public let timestepFrequencyShift: Int
    /// The least and the greatest value of the training data, for models of pixels; nil when not known.
    public let valueRange: ClosedRange<Double>?
    /// The guidance scale that the model's author recommends; nil when not known.
    public internal(set) var guidanceScale: Double?
    /// How many of the first channels the model's author guides, 1 to C, the others following the conditional branch;
    /// nil for all of them. The official DiT and SiT guide three.
    public internal(set) var guidanceChannels: Int?

    /// Makes a configuration of checked values.
    ///
    /// - Throws: ``ConfigProblem`` that names the first value out of bounds.
    public init(
        depth: Int, hiddenSize: Int, heads: Int, patchSize: Int, inputSize: Int, inChannels: Int, learnSigma: Bool,
        numClasses: Int, classNames: [String] = [], mlpRatio: Double = 4, normEpsilon: Double = 1e-6,
        mlpNormEpsilon: Double = 1e-6, timestepFrequencyShift: Int = 0, valueRange: ClosedRange<Double>? = nil,
        guidanceScale: Double? = nil, guidanceChannels: Int? = nil
    ) throws(ConfigProblem) {
        self.depth = depth
        self.hiddenSize = hiddenSize
        self.heads = heads
        self.patchSize = patchSize
        self.inputSize = inputSize
        self.inChannels = inChannels
        self.learnSigma = learnSigma
        self.numClasses = numClasses
        self.classNames = classNames
        self.mlpRatio = mlpRatio
        self.normEpsilon = normEpsilon
        self.mlpNormEpsilon = mlpNormEpsilon
        self.timestepFrequencyShift = timestepFrequencyShift
        self.valueRange = valueRange
        self.guidanceScale = guidanceScale
        self.guidanceChannels = guidanceChannels
        try validate()
    }

    /// The same without names and recommendations: all that an image depends on.
    public var conventions: DiTConfig {
        var copy = self
        copy.classNames = []
        copy.guidanceScale = nil
        copy.guidanceChannels = nil
        return copy
    }

    /// The number of output channels: C, or 2C with a learned variance.
    public var outChannels: Int { learnSigma ? 2 * inChannels : inChannels }
    /// The number of patches along a side of the input.
    public var gridSize: Int { inputSize / patchSize }
    /// The number of tokens T.
    public var tokens: Int { gridSize * gridSize }
    /// The width K = D/H of a head.
    public var headWidth: Int { hiddenSize / heads }
    /// The width M of the MLP's hidden layer.
    public var mlpWidth: Int { Int(Double(hiddenSize) * mlpRatio) }
}
