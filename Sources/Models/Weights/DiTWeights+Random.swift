import Tensor

extension DiTWeights {
    /// Weights of the right shapes that mean nothing: finite, none zero, the same for the same seed.
    ///
    /// They are uniform, as wide as keeps the size of what passes through them; the modulation's are a tenth of that, so
    /// that tokens keep their size over any depth. Time and memory of a forward do not depend on its weights, so this is
    /// what a benchmark needs where there is no checkpoint.
    package init(random config: DiTConfig, seed: UInt64) {
        var numbers = ArbitraryNumbers(seed: seed)
        func linear(_ outputs: Int, _ inputs: Int, gain: Float = 1) -> Linear {
            let width = gain * (3 / Float(inputs)).squareRoot()
            return Linear(
                weight: numbers.tensor([outputs, inputs], width: width),
                bias: numbers.tensor([outputs], width: 0.1 * gain))
        }
        let width = config.hiddenSize
        let patch = config.patchSize * config.patchSize
        patchEmbedding = linear(width, config.inChannels * patch)
        positions = SinCosPositions.table(gridSize: config.gridSize, width: width)
        embedders = [
            ConditionEmbedder(
                timestepIn: linear(width, DiTConfig.timestepEmbeddingWidth), timestepOut: linear(width, width),
                labels: numbers.tensor([config.numClasses + 1, width]))
        ]
        blocks = (0..<config.depth).map { _ in
            Block(
                modulation: linear(6 * width, width, gain: 0.1), qkv: linear(3 * width, width),
                attentionOut: linear(width, width), mlpIn: linear(config.mlpWidth, width),
                mlpOut: linear(width, config.mlpWidth))
        }
        finalModulation = linear(2 * width, width, gain: 0.1)
        finalProjection = linear(patch * config.outChannels, width)
        layout = .official
        hasNullClass = true
        unusedTensors = []
    }

    /// How many numbers there are, the fixed positions left out.
    package var parameterCount: Int {
        let linears =
            embedders.flatMap { [$0.timestepIn, $0.timestepOut] }
            + blocks.flatMap { [$0.modulation, $0.qkv, $0.attentionOut, $0.mlpIn, $0.mlpOut] }
            + [patchEmbedding, finalModulation, finalProjection]
        return linears.reduce(0) { $0 + $1.weight.count + $1.bias.count } + embedders.reduce(0) { $0 + $1.labels.count }
    }
}
