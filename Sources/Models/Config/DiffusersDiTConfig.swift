/// The `config.json` that diffusers writes for a DiT, with the defaults of its class, and with those keys of ours that
/// may be added to it: names and recommendations.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/dit_transformer_2d.py, version 0.42.1.
struct DiffusersDiTConfig: Decodable {
    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case attentionHeads = "num_attention_heads"
        case attentionHeadWidth = "attention_head_dim"
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case layers = "num_layers"
        case attentionBias = "attention_bias"
        case sampleSize = "sample_size"
        case patchSize = "patch_size"
        case activation = "activation_fn"
        case classes = "num_embeds_ada_norm"
        case normType = "norm_type"
        case normIsAffine = "norm_elementwise_affine"
        case normEpsilon = "norm_eps"
        case classNames = "class_names"
        case guidanceScale = "guidance_scale"
        case guidanceChannels = "guidance_channels"
    }

    private let className: String
    private let attentionHeads: WholeNumber?
    private let attentionHeadWidth: WholeNumber?
    private let inChannels: WholeNumber?
    private let outChannels: WholeNumber?
    private let layers: WholeNumber?
    private let attentionBias: Bool?
    private let sampleSize: WholeNumber?
    private let patchSize: WholeNumber?
    private let activation: String?
    private let classes: WholeNumber?
    private let normType: String?
    private let normIsAffine: Bool?
    private let normEpsilon: Double?
    private let classNames: [String]?
    private let guidanceScale: Double?
    private let guidanceChannels: WholeNumber?

    /// The same model in this package's terms.
    ///
    /// - Throws: ``ConfigProblem`` where a value has no counterpart here or is out of bounds.
    func config() throws(ConfigProblem) -> DiTConfig {
        try checkSupport()
        let heads = attentionHeads?.value ?? 16
        let (width, overflow) = heads.multipliedReportingOverflow(by: attentionHeadWidth?.value ?? 72)
        guard !overflow else {
            throw ConfigProblem("num_attention_heads \(heads) times attention_head_dim is too large")
        }
        let channels = inChannels?.value ?? 4
        return try DiTConfig(
            depth: layers?.value ?? 28, hiddenSize: width, heads: heads, patchSize: patchSize?.value ?? 2,
            inputSize: sampleSize?.value ?? 32, inChannels: channels, learnSigma: try learnsSigma(inChannels: channels),
            numClasses: classes?.value ?? 1000, classNames: classNames ?? [], mlpNormEpsilon: normEpsilon ?? 1e-5,
            timestepFrequencyShift: 1, guidanceScale: guidanceScale, guidanceChannels: guidanceChannels?.value)
    }

    private func checkSupport() throws(ConfigProblem) {
        switch className {
        case "DiTTransformer2DModel":
            try Self.require(normType ?? "ada_norm_zero", "ada_norm_zero", "norm_type")
        case "Transformer2DModel":
            // The name under which the first DiT checkpoints were published; other models share it.
            let normType = normType ?? "layer_norm"
            guard normType == "ada_norm_zero" else {
                throw ConfigProblem(
                    "_class_name is Transformer2DModel and norm_type is \(normType), a text-to-image transformer or part "
                        + "of a U-Net; only ada_norm_zero, a DiT, is supported")
            }
        default:
            throw ConfigProblem(
                "_class_name is \(className), \(ForeignModel.kind(of: className)); only DiTTransformer2DModel is supported"
            )
        }
        try Self.require(activation ?? "gelu-approximate", "gelu-approximate", "activation_fn")
        try Self.require(attentionBias ?? true, true, "attention_bias")
        try Self.require(normIsAffine ?? false, false, "norm_elementwise_affine")
    }

    private static func require<Value: Equatable>(
        _ found: Value, _ supported: Value, _ key: String
    ) throws(ConfigProblem) {
        guard found == supported else { throw ConfigProblem("\(key) is \(found); only \(supported) is supported") }
    }

    private func learnsSigma(inChannels: Int) throws(ConfigProblem) -> Bool {
        guard let outChannels = outChannels?.value, outChannels != inChannels else { return false }
        guard outChannels.isMultiple(of: 2), outChannels / 2 == inChannels else {
            throw ConfigProblem(
                "out_channels is \(outChannels); only in_channels (\(inChannels)) or twice as many are supported")
        }
        return true
    }
}
