/// The sizes and conventions of a PixArt (Chen et al., arXiv 2310.00426, alpha; arXiv 2403.04692, Sigma): a text-to-image
/// transformer with cross-attention to a caption.
///
/// A value of this type has been validated: its sizes are positive and bounded, and fit one another. Alpha and Sigma are
/// one network; they differ in what is a value here.
public struct PixArtConfig: Equatable, Sendable {
    /// The number of blocks.
    public let depth: Int
    /// The number of attention heads H.
    public let heads: Int
    /// The head dimension K; D = H K.
    public let headDimension: Int
    /// The side P of a square patch, in latent pixels.
    public let patchSize: Int
    /// The side of the latents of the training, whose pictures were of that area.
    public let sampleSize: Int
    /// The number of input channels C.
    public let inChannels: Int
    /// Whether the model also outputs a variance, in C more channels after the first C. Its samplers drop it.
    public let learnSigma: Bool
    /// The width of a token of the caption, as the text encoder gives it.
    public let captionWidth: Int
    /// What positions are divided by, as stated; nil for what follows from ``sampleSize``.
    public let interpolationScale: Double?
    /// Whether the picture's size and aspect ratio are conditions, as in alpha's model of 1024 pixels.
    public let hasSizeConditions: Bool
    /// What the layer norms of the blocks add to the variance.
    public let normEpsilon: Double
    /// The guidance scale that the model's author recommends.
    public private(set) var guidance: Double
    /// The most tokens of a prompt, as stated; nil where only the kind of pipeline tells.
    public private(set) var promptTokens: Int?
    /// The extents of the latents that are drawn.
    public private(set) var height, width: Int

    /// What the final layer norm adds to the variance.
    static let finalNormEpsilon = 1e-6
    /// The pixels of a picture along a side for each pixel of the latents.
    static let pixelsPerLatent = 8
    /// The most tokens of a prompt of alpha and of Sigma.
    static let (alphaTokens, sigmaTokens) = (120, 300)

    /// Makes a configuration of checked values; without height and width, for squares of the training's size.
    ///
    /// - Throws: ``ConfigProblem`` that names the first value out of bounds.
    public init(
        depth: Int, heads: Int, headDimension: Int, patchSize: Int = 2, sampleSize: Int, inChannels: Int = 4,
        learnSigma: Bool = true, captionWidth: Int = 4096, interpolationScale: Double? = nil,
        hasSizeConditions: Bool = false, normEpsilon: Double = 1e-6, guidance: Double = 4.5, promptTokens: Int? = nil,
        height: Int? = nil, width: Int? = nil
    ) throws(ConfigProblem) {
        self.depth = depth
        self.heads = heads
        self.headDimension = headDimension
        self.patchSize = patchSize
        self.sampleSize = sampleSize
        self.inChannels = inChannels
        self.learnSigma = learnSigma
        self.captionWidth = captionWidth
        self.interpolationScale = interpolationScale
        self.hasSizeConditions = hasSizeConditions
        self.normEpsilon = normEpsilon
        self.guidance = guidance
        self.promptTokens = promptTokens
        self.height = height ?? sampleSize
        self.width = width ?? sampleSize
        try validate()
    }

    /// The width D of a token.
    public var hiddenSize: Int { heads * headDimension }
    /// The width M of the MLP's hidden layer.
    public var mlpWidth: Int { 4 * hiddenSize }
    /// The number of output channels: C, or 2C with a learned variance.
    public var outChannels: Int { learnSigma ? 2 * inChannels : inChannels }
    /// The numbers of patches along the sides of the latents.
    public var grid: (rows: Int, columns: Int) { (height / patchSize, width / patchSize) }
    /// The number of tokens T.
    public var tokens: Int { grid.rows * grid.columns }
    /// The most tokens of a prompt, the end token included.
    ///
    /// A transformer's `config.json` does not say which pipeline it belongs to. Where nothing else does, conditions of the
    /// size tell alpha, and a stated scale of the positions Sigma.
    public var promptLimit: Int {
        promptTokens ?? (!hasSizeConditions && interpolationScale != nil ? Self.sigmaTokens : Self.alphaTokens)
    }

    /// The same without recommendations: all that an image depends on.
    public var conventions: PixArtConfig {
        var copy = self
        copy.guidance = 1
        copy.promptTokens = promptLimit
        return copy
    }

    public func inPipeline(_ name: String) -> PixArtConfig {
        var copy = self
        copy.promptTokens =
            promptTokens ?? (name == Self.sigmaPipeline ? Self.sigmaTokens : Self.alphaTokens)
        return copy
    }

    static let alphaPipeline = "PixArtAlphaPipeline"
    static let sigmaPipeline = "PixArtSigmaPipeline"

    /// The same for latents of another size.
    func sized(latentHeight: Int, latentWidth: Int) throws(ConfigProblem) -> PixArtConfig {
        var copy = self
        (copy.height, copy.width) = (latentHeight, latentWidth)
        try copy.validate()
        return copy
    }

    // MARK: - Positions

    /// What positions are divided by.
    var positionScale: Double { interpolationScale ?? Double(max(sampleSize / 64, 1)) }

    /// The positions of `count` tokens along a side: as many as on the training's side span the same distance.
    ///
    /// In single precision and in the reference's own order of operations.
    ///
    /// Source: https://github.com/huggingface/diffusers, models/embeddings.py, get_2d_sincos_pos_embed, version 0.42.1.
    func positions(count: Int) -> [Float] {
        let stretch = Float(Double(count) / Double(sampleSize / patchSize))
        return (0..<count).map { Float($0) / stretch / Float(positionScale) }
    }

    // MARK: - Validation

    /// Checks every value and how they fit together. The bounds are far above every published model, and so low that no
    /// product of sizes in this package overflows.
    private func validate() throws(ConfigProblem) {
        let (largestWidth, largestPatch, largestGrid) = (1 << 15, 1 << 8, 1 << 9)
        try ConfigProblem.check(depth, 1...1024, "num_layers")
        try ConfigProblem.check(heads, 1...largestWidth, "num_attention_heads")
        try ConfigProblem.check(headDimension, 1...largestWidth, "attention_head_dim")
        try ConfigProblem.check(hiddenSize, 1...largestWidth, "num_attention_heads times attention_head_dim")
        try ConfigProblem.check(patchSize, 1...largestPatch, "patch_size")
        try ConfigProblem.check(inChannels, 1...1 << 10, "in_channels")
        try ConfigProblem.check(captionWidth, 1...largestWidth, "caption_channels")
        try ConfigProblem.check(promptLimit, 1...1 << 12, "prompt_tokens")
        guard hiddenSize.isMultiple(of: hasSizeConditions ? 12 : 4) else {
            throw ConfigProblem(
                "num_attention_heads times attention_head_dim is \(hiddenSize), not divisible by 4, as sin-cos positions "
                    + "require\(hasSizeConditions ? ", and by 3, as use_additional_conditions does" : "")")
        }
        for (side, key) in [(sampleSize, "sample_size"), (height, "latent_height"), (width, "latent_width")] {
            try ConfigProblem.check(side, 1...largestPatch * largestGrid, key)
            guard side.isMultiple(of: patchSize) else {
                throw ConfigProblem("\(key) \(side) is not divisible by patch_size \(patchSize)")
            }
            try ConfigProblem.check(side / patchSize, 1...largestGrid, "\(key) / patch_size")
        }
        if let scale = interpolationScale {
            guard scale > 0, Float(scale).isFinite, Float(scale) > 0 else {
                throw ConfigProblem("interpolation_scale is \(scale), not a finite positive number")
            }
        }
        guard normEpsilon > 0, normEpsilon < 1 else {
            throw ConfigProblem("norm_eps is \(normEpsilon), not between 0 and 1")
        }
        guard guidance.isFinite else { throw ConfigProblem("guidance_scale is \(guidance), not a finite number") }
    }
}
