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

    /// The precisions in which the inputs of layers of blocks are read.
    struct Precisions {
        let qkv, attention, proj, fc2: Precision
    }

    /// Allocates the memory of `entries` batch entries.
    init(entries: Int, tokens: Int, _ widths: Widths, _ precisions: Precisions) {
        func matrices(_ columns: Int, _ precision: Precision = .float32) -> EntryRows {
            EntryRows(entries: entries, tokens: tokens, columns: columns, precision: precision)
        }
        patches = Tensor([tokens, widths.patch])
        embedded = Tensor([tokens, widths.token])
        hiddenStates = matrices(widths.token)
        normed = matrices(widths.token, precisions.qkv)
        qkv = matrices(3 * widths.token, precisions.attention)
        mixed = matrices(widths.token, precisions.proj)
        mlpHidden = matrices(widths.mlp, precisions.fc2)
        site = matrices(widths.token)
        projected = matrices(widths.projected)
    }

    /// What it takes, in bytes.
    static func bytes(entries: Int, tokens: Int, _ widths: Widths) -> Int {
        let perEntry = 7 * widths.token + widths.mlp + widths.projected
        return MemoryLayout<Float>.stride * tokens * (entries * perEntry + widths.patch + widths.token)
    }
}
