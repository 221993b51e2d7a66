/// The `config.json` that diffusers writes for a DiT, with the defaults of its class.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/dit_transformer_2d.py, version 0.42.1. An
/// explicit null is None there: no value for `out_channels`, false for a flag, and an error for everything else.
extension DiTConfig {
    /// Reads diffusers' keys, and those of this package that may be added to them: names and recommendations.
    ///
    /// - Throws: ``ConfigProblem`` where a value has no counterpart here or is out of bounds.
    init(diffusers fields: ConfigFields) throws(ConfigProblem) {
        try Self.checkSupport(fields)
        func whole(_ key: String, _ preset: Int) throws(ConfigProblem) -> Int {
            try fields.value(key, .whole, default: preset)
        }
        let heads = try whole("num_attention_heads", 16)
        let (width, overflow) = try heads.multipliedReportingOverflow(by: whole("attention_head_dim", 72))
        guard !overflow else {
            throw ConfigProblem("num_attention_heads \(heads) times attention_head_dim is too large")
        }
        let channels = try whole("in_channels", 4)
        let outChannels = try fields.optional("out_channels", .whole) ?? channels
        guard outChannels == channels || (outChannels.isMultiple(of: 2) && outChannels / 2 == channels) else {
            throw ConfigProblem(
                "out_channels is \(outChannels); only in_channels (\(channels)) or twice as many are supported")
        }
        try self.init(
            depth: whole("num_layers", 28), hiddenSize: width, heads: heads, patchSize: whole("patch_size", 2),
            inputSize: whole("sample_size", 32), inChannels: channels, learnSigma: outChannels != channels,
            numClasses: whole("num_embeds_ada_norm", 1000),
            classNames: fields.optional("class_names", .list(of: .text)) ?? [],
            mlpNormEpsilon: fields.value("norm_eps", .number, default: 1e-5), timestepFrequencyShift: 1,
            guidanceScale: fields.optional("guidance_scale", .number),
            guidanceChannels: fields.optional("guidance_channels", .whole))
    }

    private static func checkSupport(_ fields: ConfigFields) throws(ConfigProblem) {
        if try fields.required("_class_name", .text) == "Transformer2DModel" {
            // The name under which the first DiT checkpoints were published; other models share it.
            let normType = try fields.value("norm_type", .text, default: "layer_norm")
            guard normType == "ada_norm_zero" else {
                throw ConfigProblem(
                    "_class_name is Transformer2DModel and norm_type is \(normType), a text-to-image transformer or part "
                        + "of a U-Net; only ada_norm_zero, a DiT, and ada_norm_single, a PixArt, are supported")
            }
        } else {
            try fields.require("norm_type", .text, "ada_norm_zero")
        }
        try fields.require("activation_fn", .text, "gelu-approximate")
        try fields.require("attention_bias", .flag, true, null: false)
        try fields.require("norm_elementwise_affine", .flag, false, null: false)
    }
}
