import Compute

/// The matrices that the tokens of latents pass through in adaLN blocks (DiT, PixArt): scratch memory of one forward at a
/// time. Shapes are those of one batch entry: T tokens, D width, M MLP width, C channels, P patch.
final class TokenMemory {
    let patches: Tensor  // (T, C P P)
    let embedded: Tensor  // (T, D), the input of the stack, the same for every entry
    let hiddenStates: EntryRows  // (T, D) of each entry
    let normed: EntryRows  // (T, D), the inputs of the first layers of attention and MLP
    let qkv: EntryRows  // (T, 3D), the inputs of attention
    let mixed: EntryRows  // (T, D), heads side by side, the inputs of the layer after attention
    let mlpHidden: EntryRows  // (T, M), the inputs of the MLP's second layer
    let site: EntryRows  // (T, D), a site's output before its gate
    let projected: EntryRows  // (T, P P Cout)

    /// The widths of the matrices.
    struct Widths {
        /// C P P, D, M and P P Cout.
        let patch, token, mlp, projected: Int
    }

    /// Allocates the memory of `entries` batch entries, for blocks with the precisions of this one.
    init(entries: Int, tokens: Int, _ widths: Widths, block: some TokenBlock, attention: SequenceAttention) {
        func matrices(_ columns: Int, _ precision: Precision = .float32) -> EntryRows {
            EntryRows(entries: entries, tokens: tokens, columns: columns, precision: precision)
        }
        patches = Tensor([tokens, widths.patch])
        embedded = Tensor([tokens, widths.token])
        hiddenStates = matrices(widths.token)
        normed = matrices(widths.token, block.qkv.inputPrecision)
        qkv = matrices(3 * widths.token, attention.precision)
        mixed = matrices(widths.token, block.proj.inputPrecision)
        mlpHidden = matrices(widths.mlp, block.fc2.inputPrecision)
        site = matrices(widths.token)
        projected = matrices(widths.projected)
    }

    /// What it takes, in bytes.
    static func bytes(entries: Int, tokens: Int, _ widths: Widths) -> Int {
        let perEntry = 7 * widths.token + widths.mlp + widths.projected
        return MemoryLayout<Float>.stride * tokens * (entries * perEntry + widths.patch + widths.token)
    }
}

/// A block whose tokens pass through a ``TokenMemory``: the layers whose inputs are kept there for them.
protocol TokenBlock {
    /// (3D, D): queries, keys, values.
    var qkv: Linear { get }
    /// (D, D), of attention's outputs.
    var proj: Linear { get }
    /// (D, M), the MLP's second layer.
    var fc2: Linear { get }
}
