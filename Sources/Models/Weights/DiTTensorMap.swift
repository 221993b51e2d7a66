/// Where one tensor of ``DiTWeights`` comes from: file tensors of one stored shape, joined along the first dimension.
struct TensorSource {
    let names: [String]
    let storedShape: [Int]
    let shape: [Int]
}

/// Where a ``Linear`` comes from.
struct LinearSource {
    let weight: TensorSource
    let bias: TensorSource

    /// A layer from `inputs` to `outputs` numbers, joined from `modules` of equal size.
    ///
    /// `storedInputs` are the extents that the file has in the place of `inputs`, such as those of a convolution.
    init(_ modules: [String], outputs: Int, inputs: Int, storedInputs: [Int]? = nil) {
        let storedOutputs = outputs / modules.count
        weight = TensorSource(
            names: modules.map { $0 + ".weight" }, storedShape: [storedOutputs] + (storedInputs ?? [inputs]),
            shape: [outputs, inputs])
        bias = TensorSource(names: modules.map { $0 + ".bias" }, storedShape: [storedOutputs], shape: [outputs])
    }
}

/// Every tensor that a configuration calls for, with its place in a layout.
struct DiTTensorMap {
    struct Embedder {
        let timestepIn, timestepOut: LinearSource
        let labels: TensorSource
    }

    struct Block {
        let modulation, qkv, attentionOut, mlpIn, mlpOut: LinearSource
    }

    let patchEmbedding: LinearSource
    /// Optional in the file.
    let positions: TensorSource
    let embedders: [Embedder]
    let blocks: [Block]
    let finalModulation, finalProjection: LinearSource

    /// Lists the tensors; `labelRows` counts the rows of the label tables, with or without one for the null class.
    init(layout: DiTLayout, config: DiTConfig, labelRows: Int) {
        let names = layout.names
        let (width, patch) = (config.hiddenSize, config.patchSize)
        let embeddingWidth = DiTConfig.timestepEmbeddingWidth
        patchEmbedding = LinearSource(
            [names.patchEmbedding], outputs: width, inputs: config.inChannels * patch * patch,
            storedInputs: [config.inChannels, patch, patch])
        positions = TensorSource(
            names: [names.positions], storedShape: [1, config.tokens, width], shape: [config.tokens, width])
        embedders = (0..<(names.hasEmbedderPerBlock ? config.depth : 1)).map { i in
            Embedder(
                timestepIn: LinearSource([names.timestepIn.inBlock(i)], outputs: width, inputs: embeddingWidth),
                timestepOut: LinearSource([names.timestepOut.inBlock(i)], outputs: width, inputs: width),
                labels: TensorSource(
                    names: [names.labels.inBlock(i) + ".weight"], storedShape: [labelRows, width],
                    shape: [labelRows, width]))
        }
        blocks = (0..<config.depth).map { i in
            Block(
                modulation: LinearSource([names.modulation.inBlock(i)], outputs: 6 * width, inputs: width),
                qkv: LinearSource(names.qkv.map { $0.inBlock(i) }, outputs: 3 * width, inputs: width),
                attentionOut: LinearSource([names.attentionOut.inBlock(i)], outputs: width, inputs: width),
                mlpIn: LinearSource([names.mlpIn.inBlock(i)], outputs: config.mlpWidth, inputs: width),
                mlpOut: LinearSource([names.mlpOut.inBlock(i)], outputs: width, inputs: config.mlpWidth))
        }
        finalModulation = LinearSource([names.finalModulation], outputs: 2 * width, inputs: width)
        finalProjection = LinearSource(
            [names.finalProjection], outputs: patch * patch * config.outChannels, inputs: width)
    }

    /// All sources but ``positions``, in the order of the forward.
    var required: [TensorSource] {
        let linears =
            [patchEmbedding] + embedders.flatMap { [$0.timestepIn, $0.timestepOut] }
            + blocks.flatMap { [$0.modulation, $0.qkv, $0.attentionOut, $0.mlpIn, $0.mlpOut] }
            + [finalModulation, finalProjection]
        return linears.flatMap { [$0.weight, $0.bias] } + embedders.map(\.labels)
    }
}
