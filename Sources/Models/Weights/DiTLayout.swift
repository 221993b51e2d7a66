/// The names under which a DiT's tensors are stored, by origin; weights-format.md lists them side by side.
public enum DiTLayout: String, CaseIterable, Sendable {
    /// https://github.com/facebookresearch/DiT
    case official
    /// https://github.com/huggingface/diffusers, DiTTransformer2DModel
    case diffusers

    /// Recognises a layout by the modules that embed the patches and fill the first block.
    init?(names: some Sequence<String>) {
        let names = Set(names)
        let layout = Self.allCases.first { layout in
            names.contains(layout.names.patchEmbedding + ".weight")
                || names.contains(layout.names.modulation.inBlock(0) + ".weight")
        }
        guard let layout else { return nil }
        self = layout
    }

    /// Whether a label table without a row for the null class is a mistake: diffusers' class cannot be made without it.
    var alwaysHasNullClass: Bool { self == .diffusers }

    /// The layout's names; `{i}` stands for a block's number.
    var names: DiTNames {
        switch self {
        case .official: .official
        case .diffusers: .diffusers
        }
    }
}

/// One layout's name for each part of ``DiTWeights``: of modules with a `weight` and a `bias`, unless said otherwise.
struct DiTNames {
    let patchEmbedding: String
    /// A tensor; when it is absent the table is computed.
    let positions: String
    let timestepIn: String
    let timestepOut: String
    /// A module with only a `weight`.
    let labels: String
    let modulation: String
    /// Modules that are joined: one, or three for queries, keys and values.
    let qkv: [String]
    let attentionOut: String
    let mlpIn: String
    let mlpOut: String
    let finalModulation: String
    let finalProjection: String

    static let official = DiTNames(
        patchEmbedding: "x_embedder.proj",
        positions: "pos_embed",
        timestepIn: "t_embedder.mlp.0",
        timestepOut: "t_embedder.mlp.2",
        labels: "y_embedder.embedding_table",
        modulation: "blocks.{i}.adaLN_modulation.1",
        qkv: ["blocks.{i}.attn.qkv"],
        attentionOut: "blocks.{i}.attn.proj",
        mlpIn: "blocks.{i}.mlp.fc1",
        mlpOut: "blocks.{i}.mlp.fc2",
        finalModulation: "final_layer.adaLN_modulation.1",
        finalProjection: "final_layer.linear")

    static let diffusers = DiTNames(
        patchEmbedding: "pos_embed.proj",
        positions: "pos_embed.pos_embed",
        timestepIn: "transformer_blocks.{i}.norm1.emb.timestep_embedder.linear_1",
        timestepOut: "transformer_blocks.{i}.norm1.emb.timestep_embedder.linear_2",
        labels: "transformer_blocks.{i}.norm1.emb.class_embedder.embedding_table",
        modulation: "transformer_blocks.{i}.norm1.linear",
        qkv: [
            "transformer_blocks.{i}.attn1.to_q", "transformer_blocks.{i}.attn1.to_k",
            "transformer_blocks.{i}.attn1.to_v",
        ],
        attentionOut: "transformer_blocks.{i}.attn1.to_out.0",
        mlpIn: "transformer_blocks.{i}.ff.net.0.proj",
        mlpOut: "transformer_blocks.{i}.ff.net.2",
        finalModulation: "proj_out_1",
        finalProjection: "proj_out_2")

    /// Whether each block has an embedder of its own.
    var hasEmbedderPerBlock: Bool { labels.contains("{i}") }
    /// What the names of a block's tensors begin with, up to its number.
    var blockPrefix: String { modulation.prefixBeforeBlock }
}

extension String {
    /// The name with a block's number in the place of `{i}`.
    func inBlock(_ index: Int) -> String {
        split(separator: "{i}", omittingEmptySubsequences: false).joined(separator: "\(index)")
    }

    /// What stands before `{i}`.
    fileprivate var prefixBeforeBlock: String {
        split(separator: "{i}", omittingEmptySubsequences: false).first.map(String.init) ?? self
    }
}
