import Compute

/// The names under which a PixArt's tensors are stored, by origin; weights-format.md lists them side by side.
public enum PixArtLayout: String, CaseIterable, Sendable {
    /// https://github.com/PixArt-alpha/PixArt-sigma, whose names are this package's own.
    case official
    /// https://github.com/huggingface/diffusers, PixArtTransformer2DModel
    case diffusers

    /// What the layout calls the parameters.
    var keys: KeyTable {
        switch self {
        case .official: KeyTable([:])
        case .diffusers:
            KeyTable([
                "x_embedder.proj": ["pos_embed.proj"],
                "t_embedder.mlp.0": ["adaln_single.emb.timestep_embedder.linear_1"],
                "t_embedder.mlp.2": ["adaln_single.emb.timestep_embedder.linear_2"],
                "csize_embedder.mlp.0": ["adaln_single.emb.resolution_embedder.linear_1"],
                "csize_embedder.mlp.2": ["adaln_single.emb.resolution_embedder.linear_2"],
                "ar_embedder.mlp.0": ["adaln_single.emb.aspect_ratio_embedder.linear_1"],
                "ar_embedder.mlp.2": ["adaln_single.emb.aspect_ratio_embedder.linear_2"],
                "t_block.1": ["adaln_single.linear"],
                "y_embedder.y_proj.fc1": ["caption_projection.linear_1"],
                "y_embedder.y_proj.fc2": ["caption_projection.linear_2"],
                "blocks.{i}.scale_shift_table": ["transformer_blocks.{i}.scale_shift_table"],
                "blocks.{i}.attn.qkv": [
                    "transformer_blocks.{i}.attn1.to_q", "transformer_blocks.{i}.attn1.to_k",
                    "transformer_blocks.{i}.attn1.to_v",
                ],
                "blocks.{i}.attn.proj": ["transformer_blocks.{i}.attn1.to_out.0"],
                "blocks.{i}.cross_attn.q_linear": ["transformer_blocks.{i}.attn2.to_q"],
                "blocks.{i}.cross_attn.kv_linear": [
                    "transformer_blocks.{i}.attn2.to_k", "transformer_blocks.{i}.attn2.to_v",
                ],
                "blocks.{i}.cross_attn.proj": ["transformer_blocks.{i}.attn2.to_out.0"],
                "blocks.{i}.mlp.fc1": ["transformer_blocks.{i}.ff.net.0.proj"],
                "blocks.{i}.mlp.fc2": ["transformer_blocks.{i}.ff.net.2"],
                "temporal_blocks.{i}.scale_shift_table": ["temporal_transformer_blocks.{i}.scale_shift_table"],
                "temporal_blocks.{i}.attn.qkv": [
                    "temporal_transformer_blocks.{i}.attn1.to_q", "temporal_transformer_blocks.{i}.attn1.to_k",
                    "temporal_transformer_blocks.{i}.attn1.to_v",
                ],
                "temporal_blocks.{i}.attn.proj": ["temporal_transformer_blocks.{i}.attn1.to_out.0"],
                "temporal_blocks.{i}.mlp.fc1": ["temporal_transformer_blocks.{i}.ff.net.0.proj"],
                "temporal_blocks.{i}.mlp.fc2": ["temporal_transformer_blocks.{i}.ff.net.2"],
                "final_layer.scale_shift_table": ["scale_shift_table"],
                "final_layer.linear": ["proj_out"],
            ])
        }
    }

    /// The tensor by which a layout is recognised.
    private static let mark = "x_embedder.proj.weight"

    fileprivate static var marks: [(layout: Self, name: String)] {
        allCases.map { ($0, $0.keys.names(of: mark)[0]) }
    }
}

extension PixArtWeights {
    /// Loads all weights that `config` calls for; the layout follows from the tensors' names. `progress` is called with
    /// the share that has been loaded, rising to 1.
    ///
    /// Names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when the tensors are not those of `config`, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    init(
        from archive: WeightArchive, config: PixArtConfig, isOfClips: Bool = false,
        precision: WeightPrecision = .float32, engine: any Engine = OpenBLASEngine(),
        progress: ((Double) -> Void)? = nil
    ) throws {
        let layout = try Self.layout(of: archive)
        self = try Self.declared(config, isOfClips: isOfClips).load(
            from: archive, keys: layout.keys, precision: engine.packsWeights ? .stored : precision, engine: engine,
            sizes: config.sizes, of: "the network that config.json describes",
            isPart: Self.isPart, progress: progress)
    }

    /// The layout that the names of the tensors in `archive` tell.
    ///
    /// - Throws: ``ModelError`` when they are of none, or of a wrapped network.
    @discardableResult
    static func layout(of archive: WeightArchive) throws(ModelError) -> PixArtLayout {
        if let (layout, _) = PixArtLayout.marks.first(where: { archive.entry($0.name) != nil }) { return layout }
        for (_, name) in PixArtLayout.marks {
            guard let example = WrappedNames.first(standingFor: name, in: archive.names) else { continue }
            throw .wrappedNames(directory: archive.directory, example: example)
        }
        throw .unknownLayout(directory: archive.directory, someNames: Array(archive.names.prefix(3)))
    }

    /// Whether a tensor of this name that is not read could be part of a relative of the PixArt, which would compute
    /// otherwise: norms of queries and keys, or keys and values of fewer tokens.
    ///
    /// No part are the null caption of the training, in whose place an empty prompt is encoded, and tables of positions.
    private static func isPart(_ name: String) -> Bool {
        ![
            "y_embedder.y_embedding", "caption_projection.y_embedding", "pos_embed", "pos_embed.pos_embed",
            "temp_pos_embed",
        ].contains(name)
    }

    /// Random weights of the right shapes, the same for the same seed.
    package init(
        random config: PixArtConfig, isOfClips: Bool = false, seed: UInt64, engine: any Engine = OpenBLASEngine()
    ) throws {
        self = try Self.declared(config, isOfClips: isOfClips).random(seed: seed, engine: engine)
    }
}

extension PixArtConfig {
    /// The values that decide the tensors' shapes, by their keys.
    fileprivate var sizes: String {
        "num_attention_heads \(heads), attention_head_dim \(headDimension), patch_size \(patchSize), in_channels "
            + "\(inChannels), out_channels \(outChannels), caption_channels \(captionWidth), use_additional_conditions "
            + "\(hasSizeConditions)"
    }
}
