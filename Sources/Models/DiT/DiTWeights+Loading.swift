import Compute

/// The names under which a DiT's tensors are stored, by origin; weights-format.md lists them side by side.
public enum DiTLayout: String, CaseIterable, Sendable {
    /// https://github.com/facebookresearch/DiT, whose names are this package's own.
    case official
    /// https://github.com/huggingface/diffusers, DiTTransformer2DModel
    case diffusers

    /// What the layout calls the parameters.
    var keys: KeyTable {
        switch self {
        case .official: KeyTable([:])
        case .diffusers:
            KeyTable([
                "x_embedder.proj": ["pos_embed.proj"],
                "pos_embed": ["pos_embed.pos_embed"],
                "blocks.{i}.t_embedder.mlp.0": ["transformer_blocks.{i}.norm1.emb.timestep_embedder.linear_1"],
                "blocks.{i}.t_embedder.mlp.2": ["transformer_blocks.{i}.norm1.emb.timestep_embedder.linear_2"],
                "blocks.{i}.y_embedder.embedding_table": [
                    "transformer_blocks.{i}.norm1.emb.class_embedder.embedding_table"
                ],
                "blocks.{i}.adaLN_modulation.1": ["transformer_blocks.{i}.norm1.linear"],
                "blocks.{i}.attn.qkv": [
                    "transformer_blocks.{i}.attn1.to_q", "transformer_blocks.{i}.attn1.to_k",
                    "transformer_blocks.{i}.attn1.to_v",
                ],
                "blocks.{i}.attn.proj": ["transformer_blocks.{i}.attn1.to_out.0"],
                "blocks.{i}.mlp.fc1": ["transformer_blocks.{i}.ff.net.0.proj"],
                "blocks.{i}.mlp.fc2": ["transformer_blocks.{i}.ff.net.2"],
                "final_layer.adaLN_modulation.1": ["proj_out_1"],
                "final_layer.linear": ["proj_out_2"],
            ])
        }
    }

    /// Whether each block has a condition embedder of its own.
    var hasEmbedderPerBlock: Bool { self == .diffusers }

    /// Whether a label table without a row for the null class is a mistake: diffusers' class cannot be made without it.
    var alwaysHasNullClass: Bool { self == .diffusers }

    /// The name of the label table, or of the first of them.
    fileprivate var labels: String {
        keys.names(of: (hasEmbedderPerBlock ? "blocks.0." : "") + "y_embedder.embedding_table.weight")[0]
    }

    /// The number of blocks that have tensors among `names`.
    fileprivate func depth(names: [String]) -> Int {
        let prefix = self == .official ? "blocks." : "transformer_blocks."
        let indices = names.compactMap { name in
            name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
        }
        return Set(indices).count
    }

    /// Checks that `archive` holds as many blocks as `config.json` says.
    ///
    /// - Throws: ``ModelError`` that names both numbers.
    func checkDepth(_ depth: Int, of archive: WeightArchive) throws(ModelError) {
        let found = self.depth(names: archive.names)
        guard found == depth else {
            throw .depthContradictsConfig(directory: archive.directory, weights: found, config: depth)
        }
    }

    /// Recognises a layout by the modules that embed the patches and fill the first block.
    init?(names: some Sequence<String>) {
        let names = Set(names)
        let marks = ["x_embedder.proj.weight", "blocks.0.adaLN_modulation.1.weight"]
        guard
            let layout = Self.allCases.first(where: { layout in
                marks.contains { names.contains(layout.keys.names(of: $0)[0]) }
            })
        else { return nil }
        self = layout
    }
}

extension DiTWeights {
    /// Loads all weights that `config` calls for; the layout follows from the tensors' names. `progress` is called with
    /// the share that has been loaded, rising to 1.
    ///
    /// Names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when the tensors are not those of `config`, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    public init(
        from archive: WeightArchive, config: DiTConfig, precision: WeightPrecision = .float32,
        engine: any Engine = OpenBLASEngine(), progress: ((Double) -> Void)? = nil
    ) throws {
        let layout = try Self.layout(of: archive)
        try layout.checkDepth(config.depth, of: archive)
        let hasNullClass = Self.hasNullClass(layout, archive, config)
        let declared = Self.declared(
            config, labelRows: hasNullClass ? config.numClasses + 1 : config.numClasses,
            embedderPerBlock: layout.hasEmbedderPerBlock)
        self = try declared.load(
            from: archive, keys: layout.keys, precision: engine.packsWeights ? .stored : precision, engine: engine,
            sizes: config.sizes, of: "a DiT or SiT",
            isPart: Self.isPart, progress: progress)
        self.layout = layout
        self.hasNullClass = hasNullClass
        let used = Set(declared.parameters.flatMap { layout.keys.names(of: $0.key) })
        unusedTensors = archive.names.filter { !used.contains($0) }
    }

    /// The layout that the names of the tensors in `archive` tell.
    ///
    /// - Throws: ``ModelError`` when they are of none, or of more than one network.
    @discardableResult
    public static func layout(of archive: WeightArchive) throws(ModelError) -> DiTLayout {
        let layout = DiTLayout(names: archive.names)
        for anchor in DiTLayout.allCases.map({ $0.keys.names(of: "x_embedder.proj.weight")[0] }) {
            guard let other = WrappedNames.first(standingFor: anchor, in: archive.names) else { continue }
            throw layout == nil
                ? .wrappedNames(directory: archive.directory, example: other)
                : .severalNetworks(directory: archive.directory, example: other)
        }
        if let wrapped = WrappedNames.first(in: archive.names.filter(isPart)) {
            throw .wrappedNames(directory: archive.directory, example: wrapped)
        }
        guard let layout else {
            throw .unknownLayout(directory: archive.directory, someNames: Array(archive.names.prefix(3)))
        }
        return layout
    }

    /// Prefixes of tensors that may accompany the network: heads of an auxiliary training loss (REPA), and what trainers
    /// save about averages, losses and decoders.
    private static let harmless: Set<Substring> = [
        "projectors", "ema", "model_ema", "ema_model", "loss", "vae", "first_stage_model",
    ]

    /// Whether a tensor of this name that is not read could be part of a relative of the DiT, which would compute
    /// otherwise.
    static func isPart(_ name: String) -> Bool {
        !(name.split(separator: ".").first.map(harmless.contains) ?? false)
    }

    /// Whether the label tables in `archive` have a row for the null class, as far as the headers say.
    public static func hasNullClass(in archive: WeightArchive, config: DiTConfig) -> Bool {
        DiTLayout(names: archive.names).map { hasNullClass($0, archive, config) } ?? true
    }

    private static func hasNullClass(_ layout: DiTLayout, _ archive: WeightArchive, _ config: DiTConfig) -> Bool {
        layout.alwaysHasNullClass || archive.entry(layout.labels)?.shape.first != config.numClasses
    }
}

extension DiTConfig {
    /// The values that decide the tensors' shapes, by their keys.
    var sizes: String {
        "hidden_size \(hiddenSize), patch_size \(patchSize), input_size \(inputSize), in_channels \(inChannels), "
            + "learn_sigma \(learnSigma), num_classes \(numClasses), mlp_ratio \(mlpRatio)"
    }
}
