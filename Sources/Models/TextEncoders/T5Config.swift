/// The sizes of the encoder of a T5 (Raffel et al., arXiv 1910.10683): the first version, version 1.1 or flan.
///
/// A value of this type has been validated: its sizes are positive and bounded.
public struct T5Config: Equatable, Sendable {
    /// The number of tokens that there are states for.
    public let vocabulary: Int
    /// D, the width of a token's state.
    public let width: Int
    /// H, the number of heads.
    public let heads: Int
    /// K, the width of a head; H K need not be D.
    public let headDimension: Int
    /// M, the width of the feed-forward layer.
    public let mlpWidth: Int
    /// The number of blocks.
    public let depth: Int
    /// How many distances, or ranges of distances, between tokens have a bias of their own, both directions together.
    public let buckets: Int
    /// The distance from which on all have the same bias.
    public let farthest: Int
    /// What is added to the mean square in norms.
    public let epsilon: Double
    /// What is between the two layers of the feed-forward.
    public let activation: FeedForward

    /// The kinds of feed-forward layers.
    public enum FeedForward: String, Sendable {
        /// wo(max(0, wi x)), of the first version.
        case relu
        /// wo(gelu(wi_0 x) * (wi_1 x)), with GELU's tanh form, of version 1.1 and flan.
        case gatedGELU = "gated-gelu"
    }

    /// Reads `config.json` of a text encoder, as transformers writes it.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in try T5Config(fields) }
    }

    private init(_ fields: ConfigFields) throws(ConfigProblem) {
        let kind = try fields.required("model_type", .text)
        guard kind == "t5" else {
            throw fields.unsupported("model_type", kind, "t5, of version 1.1, flan or the first")
        }
        // What a key's absence means is the default of transformers' class.
        vocabulary = try fields.value("vocab_size", .whole, default: 32128)
        width = try fields.value("d_model", .whole, default: 512)
        headDimension = try fields.value("d_kv", .whole, default: 64)
        mlpWidth = try fields.value("d_ff", .whole, default: 2048)
        depth = try fields.value("num_layers", .whole, default: 6)
        heads = try fields.value("num_heads", .whole, default: 8)
        buckets = try fields.value("relative_attention_num_buckets", .whole, default: 32)
        farthest = try fields.value("relative_attention_max_distance", .whole, default: 128)
        epsilon = try fields.value("layer_norm_epsilon", .number, default: 1e-6)
        activation = try fields.choice(
            "feed_forward_proj", "relu", ["gated-gelu": FeedForward.gatedGELU, "relu": .relu])
        try validate()
        let function = activation == .relu ? "relu" : "gelu_new"
        if try fields.optional("dense_act_fn", .text) != nil { try fields.require("dense_act_fn", .text, function) }
    }

    /// The bounds are far above every published model, and so low that no product of sizes overflows.
    private func validate() throws(ConfigProblem) {
        try ConfigProblem.check(vocabulary, 1...1 << 24, "vocab_size")
        try ConfigProblem.check(width, 1...1 << 16, "d_model")
        try ConfigProblem.check(headDimension, 1...1 << 12, "d_kv")
        try ConfigProblem.check(mlpWidth, 1...1 << 18, "d_ff")
        try ConfigProblem.check(depth, 1...1024, "num_layers")
        try ConfigProblem.check(heads, 1...1 << 12, "num_heads")
        try ConfigProblem.check(buckets, 4...1 << 12, "relative_attention_num_buckets")
        try ConfigProblem.check(farthest, buckets / 4 + 1...1 << 20, "relative_attention_max_distance")
        guard epsilon > 0, epsilon < 1 else {
            throw ConfigProblem("layer_norm_epsilon is \(epsilon), not between 0 and 1")
        }
    }

    /// The values that decide the tensors' shapes, by their keys.
    var sizes: String {
        "vocab_size \(vocabulary), d_model \(width), d_kv \(headDimension), d_ff \(mlpWidth), num_heads \(heads), "
            + "relative_attention_num_buckets \(buckets), feed_forward_proj \(activation.rawValue)"
    }

    /// The values that states depend on besides those.
    var conventions: String {
        "num_layers \(depth), relative_attention_max_distance \(farthest), layer_norm_epsilon \(epsilon)"
    }
}
