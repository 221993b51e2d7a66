/// The coded form is this package's `config.json`; the `config.json` of diffusers' DiT models is decoded too.
extension DiTConfig: Codable {
    private enum CodingKeys: String, CodingKey {
        case architecture
        case depth
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

    private enum ForeignKey: String, CodingKey {
        case diffusersClass = "_class_name"
        case transformersClasses = "architectures"
    }

    /// Decodes either form and validates it.
    ///
    /// - Throws: `DecodingError` where a key is missing or of another type, ``ConfigProblem`` where a value is not
    ///   supported or out of bounds.
    public init(from decoder: any Decoder) throws {
        let foreign = try decoder.container(keyedBy: ForeignKey.self)
        if foreign.contains(.diffusersClass) {
            self = try DiffusersDiTConfig(from: decoder).config()
            return
        }
        if let found = try? foreign.decode([String].self, forKey: .transformersClasses).first {
            throw ConfigProblem(
                "it describes a \(found) of the transformers library; only Diffusion Transformers (DiT, SiT) are supported"
            )
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let architecture = try values.decodeIfPresent(String.self, forKey: .architecture), architecture != "DiT" {
            throw ConfigProblem("architecture is \(architecture); only DiT is supported")
        }
        let normEpsilon = try values.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? 1e-6
        try self.init(
            depth: values.decode(WholeNumber.self, forKey: .depth).value,
            hiddenSize: values.decode(WholeNumber.self, forKey: .hiddenSize).value,
            heads: values.decode(WholeNumber.self, forKey: .heads).value,
            patchSize: values.decode(WholeNumber.self, forKey: .patchSize).value,
            inputSize: values.decode(WholeNumber.self, forKey: .inputSize).value,
            inChannels: values.decode(WholeNumber.self, forKey: .inChannels).value,
            learnSigma: values.decode(Bool.self, forKey: .learnSigma),
            numClasses: values.decode(WholeNumber.self, forKey: .numClasses).value,
            classNames: values.decodeIfPresent([String].self, forKey: .classNames) ?? [],
            mlpRatio: values.decodeIfPresent(Double.self, forKey: .mlpRatio) ?? 4,
            normEpsilon: normEpsilon,
            mlpNormEpsilon: values.decodeIfPresent(Double.self, forKey: .mlpNormEpsilon) ?? normEpsilon,
            timestepFrequencyShift: values.decodeIfPresent(WholeNumber.self, forKey: .timestepFrequencyShift)?.value
                ?? 0,
            valueRange: Self.range(values.decodeIfPresent([Double].self, forKey: .valueRange)),
            guidanceScale: values.decodeIfPresent(Double.self, forKey: .guidanceScale),
            guidanceChannels: values.decodeIfPresent(WholeNumber.self, forKey: .guidanceChannels)?.value)
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

    private static func range(_ bounds: [Double]?) throws(ConfigProblem) -> ClosedRange<Double>? {
        guard let bounds else { return nil }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            throw ConfigProblem("value_range is not two different finite numbers in rising order")
        }
        return bounds[0]...bounds[1]
    }
}
