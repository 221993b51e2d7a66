/// The sizes and conventions of a class-conditional Diffusion Transformer (Peebles & Xie, arXiv 2212.09748).
///
/// A value of this type has been validated: its sizes are positive and bounded, and fit one another. What the model
/// predicts and on which noise schedule is not part of it.
public struct DiTConfig: Equatable, Sendable {
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
    public private(set) var classNames: [String]
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
    public private(set) var guidanceScale: Double?
    /// How many of the first channels the model's author guides, 1 to C, the others following the conditional branch;
    /// nil for all of them. The official DiT and SiT guide three.
    public private(set) var guidanceChannels: Int?

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
    /// The head dimension K = D/H.
    public var headDimension: Int { hiddenSize / heads }
    /// The width M of the MLP's hidden layer.
    public var mlpWidth: Int { Int(Double(hiddenSize) * mlpRatio) }
}

// MARK: - Reading

extension DiTConfig {
    /// Reads and validates a `config.json` of this family: this package's own, or that of a DiT of diffusers.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in
            try fields.contains("_class_name")
                ? DiTConfig(diffusers: fields)
                : DiTConfig(own: fields, numClasses: fields.required("num_classes", .whole))
        }
    }

    /// Reads this package's own keys. An explicit null means that there is no value; keys that always have one refuse it.
    ///
    /// - Throws: ``ConfigProblem`` where a value is missing, of another kind or out of bounds.
    init(own fields: ConfigFields, numClasses: Int) throws(ConfigProblem) {
        let normEpsilon = try fields.value("norm_eps", .number, default: 1e-6)
        let range = try fields.optional("value_range", .list(of: .number))
        guard range.map({ $0.count == 2 && $0[0] <= $0[1] }) ?? true else { throw Self.badRange }
        try self.init(
            depth: fields.required("depth", .whole), hiddenSize: fields.required("hidden_size", .whole),
            heads: fields.required("num_heads", .whole), patchSize: fields.required("patch_size", .whole),
            inputSize: fields.required("input_size", .whole), inChannels: fields.required("in_channels", .whole),
            learnSigma: fields.required("learn_sigma", .flag), numClasses: numClasses,
            classNames: fields.optional("class_names", .list(of: .text)) ?? [],
            mlpRatio: fields.value("mlp_ratio", .number, default: 4), normEpsilon: normEpsilon,
            mlpNormEpsilon: fields.value("mlp_norm_eps", .number, default: normEpsilon),
            timestepFrequencyShift: fields.value("timestep_frequency_shift", .whole, default: 0),
            valueRange: range.map { $0[0]...$0[1] }, guidanceScale: fields.optional("guidance_scale", .number),
            guidanceChannels: fields.optional("guidance_channels", .whole))
    }

    // MARK: - Validation

    private static let badRange = ConfigProblem("value_range is not two different finite numbers in rising order")

    /// Checks every value and how they fit together. The bounds are far above every published model, and so low that no
    /// product of sizes in this package overflows.
    private func validate() throws(ConfigProblem) {
        let (largestWidth, largestMLPWidth, largestPatch, largestGrid) = (1 << 15, 1 << 18, 1 << 8, 1 << 8)
        try ConfigProblem.check(depth, 1...1024, "depth")
        try ConfigProblem.check(hiddenSize, 1...largestWidth, "hidden_size")
        try ConfigProblem.check(heads, 1...largestWidth, "num_heads")
        try ConfigProblem.check(patchSize, 1...largestPatch, "patch_size")
        try ConfigProblem.check(inputSize, 1...largestPatch * largestGrid, "input_size")
        try ConfigProblem.check(inChannels, 1...1 << 10, "in_channels")
        try ConfigProblem.check(numClasses, 1...1 << 20, "num_classes")
        try ConfigProblem.check(timestepFrequencyShift, 0...1, "timestep_frequency_shift")
        guard hiddenSize.isMultiple(of: heads) else {
            throw ConfigProblem("hidden_size \(hiddenSize) is not divisible by num_heads \(heads)")
        }
        guard hiddenSize.isMultiple(of: 4) else {
            throw ConfigProblem("hidden_size \(hiddenSize) is not divisible by 4, as sin-cos positions require")
        }
        guard inputSize.isMultiple(of: patchSize) else {
            throw ConfigProblem("input_size \(inputSize) is not divisible by patch_size \(patchSize)")
        }
        try ConfigProblem.check(gridSize, 1...largestGrid, "input_size / patch_size")
        guard classNames.isEmpty || classNames.count == numClasses else {
            throw ConfigProblem("class_names has \(classNames.count) names, but num_classes is \(numClasses)")
        }
        if let problem = classNames.unprintable(in: "class_names") { throw problem }
        let mlpWidth = Double(hiddenSize) * mlpRatio
        guard mlpWidth >= 1, mlpWidth <= Double(largestMLPWidth) else {
            throw ConfigProblem(
                "mlp_ratio is \(mlpRatio), which makes the MLP's width neither positive nor at most \(largestMLPWidth)")
        }
        for (epsilon, key) in [(normEpsilon, "norm_eps"), (mlpNormEpsilon, "mlp_norm_eps")] {
            guard epsilon > 0, epsilon < 1 else { throw ConfigProblem("\(key) is \(epsilon), not between 0 and 1") }
        }
        if let valueRange {
            // In single precision, as pixels are.
            let (low, high) = (Float(valueRange.lowerBound), Float(valueRange.upperBound))
            guard low.isFinite, high.isFinite, low < high else { throw Self.badRange }
        }
        if let guidanceScale, !guidanceScale.isFinite {
            throw ConfigProblem("guidance_scale is \(guidanceScale), not a finite number")
        }
        if let guidanceChannels { try ConfigProblem.check(guidanceChannels, 1...inChannels, "guidance_channels") }
    }
}

// MARK: - Writing

/// The encoded form is this package's `config.json`.
extension DiTConfig: Encodable {
    private enum CodingKeys: String, CodingKey {
        case architecture, depth
        case hiddenSize = "hidden_size"
        case heads = "num_heads"
        case patchSize = "patch_size"
        case inputSize = "input_size"
        case inChannels = "in_channels"
        case learnSigma = "learn_sigma"
        case numClasses = "num_classes"
        case classNames = "class_names"
        case mlpRatio = "mlp_ratio"
        case normEpsilon = "norm_eps"
        case mlpNormEpsilon = "mlp_norm_eps"
        case timestepFrequencyShift = "timestep_frequency_shift"
        case valueRange = "value_range"
        case guidanceScale = "guidance_scale"
        case guidanceChannels = "guidance_channels"
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode("DiT", forKey: .architecture)
        try values.encode(depth, forKey: .depth)
        try values.encode(hiddenSize, forKey: .hiddenSize)
        try values.encode(heads, forKey: .heads)
        try values.encode(patchSize, forKey: .patchSize)
        try values.encode(inputSize, forKey: .inputSize)
        try values.encode(inChannels, forKey: .inChannels)
        try values.encode(learnSigma, forKey: .learnSigma)
        try values.encode(numClasses, forKey: .numClasses)
        if !classNames.isEmpty { try values.encode(classNames, forKey: .classNames) }
        try values.encode(mlpRatio, forKey: .mlpRatio)
        try values.encode(normEpsilon, forKey: .normEpsilon)
        try values.encode(mlpNormEpsilon, forKey: .mlpNormEpsilon)
        try values.encode(timestepFrequencyShift, forKey: .timestepFrequencyShift)
        try values.encodeIfPresent(valueRange.map { [$0.lowerBound, $0.upperBound] }, forKey: .valueRange)
        try values.encodeIfPresent(guidanceScale, forKey: .guidanceScale)
        try values.encodeIfPresent(guidanceChannels, forKey: .guidanceChannels)
    }
}
