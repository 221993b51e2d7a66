/// The `config.json` that diffusers writes for a DiT, with the defaults of its class, and with those keys of ours that
/// may be added to it: names and recommendations.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/dit_transformer_2d.py, version 0.42.1. An
/// explicit null is None there: none for `out_channels`, false for a flag, and an error for everything else.
struct DiffusersDiTConfig {
    private let fields: ConfigFields

    /// The keys of a `config.json` that has a `_class_name`.
    init(_ fields: ConfigFields) {
        self.fields = fields
    }

    /// The same model in this package's terms.
    ///
    /// - Throws: ``ConfigProblem`` where a value has no counterpart here or is out of bounds.
    func config() throws(ConfigProblem) -> DiTConfig {
        try checkSupport()
        func whole(_ key: String, _ preset: Int) throws(ConfigProblem) -> Int {
            try fields.value(key, .whole, default: preset)
        }
        let heads = try whole("num_attention_heads", 16)
        let (width, overflow) = try heads.multipliedReportingOverflow(by: whole("attention_head_dim", 72))
        guard !overflow else {
            throw ConfigProblem("num_attention_heads \(heads) times attention_head_dim is too large")
        }
        let channels = try whole("in_channels", 4)
        return try DiTConfig(
            depth: whole("num_layers", 28), hiddenSize: width, heads: heads, patchSize: whole("patch_size", 2),
            inputSize: whole("sample_size", 32), inChannels: channels,
            learnSigma: learnsSigma(inChannels: channels), numClasses: whole("num_embeds_ada_norm", 1000),
            classNames: DiTConfig.classNames(in: fields),
            mlpNormEpsilon: fields.value("norm_eps", .number, default: 1e-5),
            timestepFrequencyShift: 1, guidanceScale: fields.optional("guidance_scale", .number),
            guidanceChannels: fields.optional("guidance_channels", .whole))
    }

    private func checkSupport() throws(ConfigProblem) {
        let className = try fields.required("_class_name", .text)
        switch className {
        case "DiTTransformer2DModel":
            try fields.require("norm_type", .text, "ada_norm_zero")
        case "Transformer2DModel":
            // The name under which the first DiT checkpoints were published; other models share it.
            let normType = try fields.value("norm_type", .text, default: "layer_norm")
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
        try fields.require("activation_fn", .text, "gelu-approximate")
        try fields.require("attention_bias", .flag, true, null: false)
        try fields.require("norm_elementwise_affine", .flag, false, null: false)
    }

    private func learnsSigma(inChannels: Int) throws(ConfigProblem) -> Bool {
        guard let outChannels = try fields.optional("out_channels", .whole), outChannels != inChannels else {
            return false
        }
        guard outChannels.isMultiple(of: 2), outChannels / 2 == inChannels else {
            throw ConfigProblem(
                "out_channels is \(outChannels); only in_channels (\(inChannels)) or twice as many are supported")
        }
        return true
    }
}
