import Models
import Tensor

/// A matrix product of a forward, or those of an attention.
enum ForwardProduct: String, CaseIterable, Sendable {
    case patchEmbedding = "patch embedding"
    case qkv
    case attention
    case attentionOut = "attention out"
    case mlpIn = "mlp in"
    case mlpOut = "mlp out"
    case finalProjection = "final projection"

    /// Whether every block has one.
    var isInBlocks: Bool { self != .patchEmbedding && self != .finalProjection }

    /// How often a forward of `entries` makes it: the patches are embedded once for all.
    func count(_ config: DiTConfig, entries: Int) -> Int {
        self == .patchEmbedding ? 1 : entries * (isInBlocks ? config.depth : 1)
    }

    /// The widths of an affine map's input and output; nil for attention.
    func widths(_ config: DiTConfig) -> (inputs: Int, outputs: Int)? {
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        return switch self {
        case .patchEmbedding: (config.inChannels * patch, width)
        case .qkv: (width, 3 * width)
        case .attention: nil
        case .attentionOut: (width, width)
        case .mlpIn: (width, config.mlpWidth)
        case .mlpOut: (config.mlpWidth, width)
        case .finalProjection: (width, config.outChannels * patch)
        }
    }

    /// What one of them takes, two operations per multiplication and addition.
    func operations(_ config: DiTConfig) -> Double {
        guard let (inputs, outputs) = widths(config) else {
            return 4 * Double(config.tokens * config.tokens * config.hiddenSize)
        }
        return 2 * Double(config.tokens * inputs * outputs)
    }

    /// The shape for people: rows x inputs x outputs, or tokens and heads.
    func shape(_ config: DiTConfig, entries: Int) -> String {
        let rows = self == .patchEmbedding ? "\(config.tokens)" : "\(entries) x \(config.tokens)"
        guard let (inputs, outputs) = widths(config) else {
            return "\(rows) tokens, \(config.heads) heads of \(config.headWidth)"
        }
        return "\(rows) rows, \(inputs) to \(outputs)"
    }

    /// What a forward's products take.
    static func operations(_ config: DiTConfig, entries: Int) -> Double {
        allCases.reduce(0) { $0 + Double($1.count(config, entries: entries)) * $1.operations(config) }
    }

    /// The layer of a network that makes it; nil for attention.
    func layer(_ weights: DiTWeights, block: Int) -> Linear? {
        switch self {
        case .patchEmbedding: weights.patchEmbedding
        case .qkv: weights.blocks[block].qkv
        case .attention: nil
        case .attentionOut: weights.blocks[block].proj
        case .mlpIn: weights.blocks[block].fc1
        case .mlpOut: weights.blocks[block].fc2
        case .finalProjection: weights.finalProjection
        }
    }
}
