import Tensor

/// The scratch memory of a forward, allocated once and used by one forward at a time.
public final class DiTWorkspace {
    /// How many batch entries (guidance branches) it has room for.
    public let entries: Int
    /// Measures the forwards that work here; nil, as it is by default, costs nothing.
    package var clock: ForwardClock?

    let config: DiTConfig
    let workers: Workers
    let attention: Attention
    let patches: Tensor  // (T, C P P)
    let embedded: Tensor  // (T, D), the input of the stack, the same for every entry
    let stream: EntryRows  // (T, D) of each entry
    let normed: EntryRows  // (T, D)
    let qkv: EntryRows  // (T, 3D)
    let mixed: EntryRows  // (T, D), heads side by side
    let hidden: EntryRows  // (T, M)
    let site: EntryRows  // (T, D), a site's output before its gate
    let projected: EntryRows  // (T, P P Cout)

    /// Allocates what a forward of `entries` entries needs.
    public init(config: DiTConfig, entries: Int, workers: Workers) {
        let tokens = config.tokens
        let width = config.hiddenSize
        func matrices(_ columns: Int) -> EntryRows { EntryRows(entries: entries, tokens: tokens, columns: columns) }
        self.config = config
        self.entries = entries
        self.workers = workers
        attention = Attention(
            tokens: tokens, heads: config.heads, headWidth: config.headWidth, workers: workers)
        patches = Tensor([tokens, config.inChannels * config.patchSize * config.patchSize])
        embedded = Tensor([tokens, width])
        stream = matrices(width)
        normed = matrices(width)
        qkv = matrices(3 * width)
        mixed = matrices(width)
        hidden = matrices(config.mlpWidth)
        site = matrices(width)
        projected = matrices(config.patchSize * config.patchSize * config.outChannels)
    }
}
