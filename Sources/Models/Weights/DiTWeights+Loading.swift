import Glibc
import Tensor

extension DiTWeights {
    /// Loads all weights that `config` calls for; the layout is told by the tensors' names.
    ///
    /// Names and shapes are all checked before the first tensor is read.
    ///
    /// - Parameters:
    ///   - archive: the weights of a model directory.
    ///   - config: the configuration in the same directory.
    ///   - precision: how wide the numbers of the blocks' and the modulation's matrices are in memory.
    ///   - progress: called with the share that has been loaded, rising to 1.
    /// - Throws: ``ModelError`` when the tensors are not those of `config`, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    public init(
        from archive: WeightArchive, config: DiTConfig, precision: WeightPrecision = .float32,
        progress: ((Double) -> Void)? = nil
    ) throws {
        let layout = try Self.layout(of: archive)
        let hasNullClass = Self.hasNullClass(layout, archive, config)
        let map = DiTTensorMap(
            layout: layout, config: config, labelRows: hasNullClass ? config.numClasses + 1 : config.numClasses)
        try Self.checkDepth(layout, archive, config)
        try Self.checkNamesAndShapes(map, archive, config)
        let used = Set((map.required + [map.positions]).flatMap(\.names))
        unusedTensors = archive.names.filter { !used.contains($0) }
        try Self.checkUnused(unusedTensors, archive)

        try SystemMemory.require(
            Self.widenedBytes(map, archive, precision), for: "widening the weights in \(archive.directory) to 32 bits")

        var loader = Loader(archive: archive, precision: precision, map: map, progress: progress)
        patchEmbedding = try loader.linear(map.patchEmbedding)
        embedders = try loader.embedders(map.embedders)
        blocks = try map.blocks.map { try loader.block($0) }
        finalModulation = try loader.linear(map.finalModulation)
        finalProjection = try loader.linear(map.finalProjection)
        positions =
            archive.entry(layout.names.positions) == nil
            ? SinCosPositions.table(gridSize: config.gridSize, width: config.hiddenSize)
            : try archive.tensor(
                joining: map.positions.names, storedShape: map.positions.storedShape, shape: map.positions.shape)
        self.layout = layout
        self.hasNullClass = hasNullClass
    }
}

// MARK: - Checks

extension DiTWeights {
    /// The memory that weights of 16 bits take once they are widened; at the least, without the small ones.
    private static func widenedBytes(
        _ map: DiTTensorMap, _ archive: WeightArchive, _ precision: WeightPrecision
    ) -> Int {
        guard precision == .float32 else { return 0 }
        let narrow = map.required.filter { $0.names.allSatisfy { archive.entry($0)?.elementType != .f32 } }
        return narrow.reduce(0) { $0 + $1.shape.reduce(1, *) } * MemoryLayout<Float>.stride
    }

    /// The layout that the names of the tensors in `archive` tell.
    ///
    /// - Throws: ``ModelError`` when they are of none, or of more than one network.
    @discardableResult
    public static func layout(of archive: WeightArchive) throws(ModelError) -> DiTLayout {
        let anchors = DiTLayout.allCases.map { $0.names.patchEmbedding + ".weight" }
        let layout = DiTLayout(names: archive.names)
        for anchor in anchors {
            guard let other = WrappedNames.first(standingFor: anchor, in: archive.names) else { continue }
            throw layout == nil
                ? .wrappedNames(directory: archive.directory, example: other)
                : .severalNetworks(directory: archive.directory, example: other)
        }
        if let wrapped = WrappedNames.first(in: archive.names.filter { !isHarmless($0) }) {
            throw .wrappedNames(directory: archive.directory, example: wrapped)
        }
        guard let layout else {
            throw .unknownLayout(directory: archive.directory, someNames: Array(archive.names.prefix(3)))
        }
        return layout
    }

    /// What the names of tensors begin with that may lie beside the network: heads of an auxiliary loss of training (REPA)
    /// and what trainers save about averages, losses and decoders.
    private static let harmless: Set<Substring> = [
        "projectors", "ema", "model_ema", "ema_model", "loss", "vae", "first_stage_model",
    ]

    private static func isHarmless(_ name: String) -> Bool {
        name.split(separator: ".").first.map(harmless.contains) ?? false
    }

    /// Checks that no tensor is left over that could be part of a relative of the DiT, which would compute otherwise.
    private static func checkUnused(_ names: [String], _ archive: WeightArchive) throws(ModelError) {
        let foreign = names.filter { name in
            archive.entry(name)?.elementType?.isLoadable == true && !isHarmless(name)
        }
        guard foreign.isEmpty else {
            throw .foreignTensors(
                directory: archive.directory, network: "a DiT or SiT", names: Array(foreign.prefix(3)),
                count: foreign.count)
        }
    }

    /// Whether the label tables in `archive` have a row for the null class, as far as the headers say.
    public static func hasNullClass(in archive: WeightArchive, config: DiTConfig) -> Bool {
        DiTLayout(names: archive.names).map { hasNullClass($0, archive, config) } ?? true
    }

    private static func hasNullClass(_ layout: DiTLayout, _ archive: WeightArchive, _ config: DiTConfig) -> Bool {
        let labels = layout.names.labels.inBlock(0) + ".weight"
        return layout.alwaysHasNullClass || archive.entry(labels)?.shape.first != config.numClasses
    }

    private static func checkDepth(
        _ layout: DiTLayout, _ archive: WeightArchive, _ config: DiTConfig
    ) throws(ModelError) {
        let prefix = layout.names.blockPrefix
        let indices = archive.names.compactMap { name in
            name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
        }
        let depth = Set(indices).count
        guard depth == config.depth else {
            throw .depthContradictsConfig(directory: archive.directory, weights: depth, config: config.depth)
        }
    }

    private static func checkNamesAndShapes(
        _ map: DiTTensorMap, _ archive: WeightArchive, _ config: DiTConfig
    ) throws(ModelError) {
        let missing = map.required.flatMap(\.names).filter { archive.entry($0) == nil }
        guard missing.isEmpty else {
            throw .missingTensors(
                directory: archive.directory, names: Array(missing.prefix(3)), count: missing.count)
        }
        for source in map.required + [map.positions] {
            for name in source.names {
                guard let found = archive.entry(name)?.shape, found != source.storedShape else { continue }
                throw .shapeContradictsConfig(
                    path: archive.path(of: name), tensor: name, expected: source.storedShape, found: found,
                    config: config.sizes)
            }
        }
    }
}

extension DiTConfig {
    /// The values that decide the tensors' shapes, by their keys.
    fileprivate var sizes: String {
        "hidden_size \(hiddenSize), patch_size \(patchSize), input_size \(inputSize), in_channels \(inChannels), "
            + "learn_sigma \(learnSigma), num_classes \(numClasses), mlp_ratio \(mlpRatio)"
    }
}

// MARK: - Loading

extension DiTWeights {
    /// Loads sources one after another and counts their numbers.
    private struct Loader {
        let archive: WeightArchive
        let precision: WeightPrecision
        let progress: ((Double) -> Void)?
        private let total: Int
        private var done = 0

        init(archive: WeightArchive, precision: WeightPrecision, map: DiTTensorMap, progress: ((Double) -> Void)?) {
            self.archive = archive
            self.precision = precision
            self.progress = progress
            total = map.required.reduce(0) { $0 + $1.shape.reduce(1, *) }
        }

        mutating func tensor(_ source: TensorSource) throws(SafetensorsError) -> Tensor {
            let tensor = try archive.tensor(
                joining: source.names, storedShape: source.storedShape, shape: source.shape)
            count(source)
            return tensor
        }

        private mutating func matrix(_ source: TensorSource) throws(SafetensorsError) -> WeightMatrix {
            let matrix = try archive.matrix(
                joining: source.names, storedShape: source.storedShape, shape: source.shape, precision: precision)
            count(source)
            return matrix
        }

        private mutating func count(_ source: TensorSource) {
            done += source.shape.reduce(1, *)
            progress?(Double(done) / Double(total))
        }

        mutating func linear(_ source: LinearSource) throws(SafetensorsError) -> Linear {
            Linear(weight: try matrix(source.weight), bias: try tensor(source.bias))
        }

        /// Loads every embedder, but keeps only one where all are equal, as they are in converted checkpoints.
        mutating func embedders(_ sources: [DiTTensorMap.Embedder]) throws(SafetensorsError) -> [ConditionEmbedder] {
            var embedders: [ConditionEmbedder] = []
            var differ = false
            for source in sources {
                let embedder = try embedder(source)
                let equalsFirst = embedders.first.map(embedder.hasSameValues) ?? false
                differ = differ || !(embedders.isEmpty || equalsFirst)
                embedders.append(equalsFirst ? embedders[0] : embedder)
            }
            return differ ? embedders : Array(embedders.prefix(1))
        }

        private mutating func embedder(_ source: DiTTensorMap.Embedder) throws(SafetensorsError) -> ConditionEmbedder {
            ConditionEmbedder(
                timestepIn: try linear(source.timestepIn), timestepOut: try linear(source.timestepOut),
                labels: try tensor(source.labels))
        }

        mutating func block(_ source: DiTTensorMap.Block) throws(SafetensorsError) -> Block {
            Block(
                modulation: try linear(source.modulation), qkv: try linear(source.qkv),
                attentionOut: try linear(source.attentionOut), mlpIn: try linear(source.mlpIn),
                mlpOut: try linear(source.mlpOut))
        }
    }
}

extension DiTWeights.ConditionEmbedder {
    fileprivate func hasSameValues(as other: Self) -> Bool {
        timestepIn.hasSameValues(as: other.timestepIn) && timestepOut.hasSameValues(as: other.timestepOut)
            && labels.hasSameValues(as: other.labels)
    }
}

extension Linear {
    fileprivate func hasSameValues(as other: Linear) -> Bool {
        weight.isIdentical(to: other.weight) && bias.hasSameValues(as: other.bias)
    }
}

extension Tensor {
    fileprivate func hasSameValues(as other: Tensor) -> Bool {
        count == other.count && memcmp(pointer, other.pointer, 4 * count) == 0
    }
}
