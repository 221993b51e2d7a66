/// The coded form is this package's `config.json`.
extension DiTConfig: Encodable {
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
