import Compute

/// The scratch memory of a DiT's forwards, allocated once and used by one forward at a time.
public final class DiTWorkspace {
    public let entries: Int
    public var clock: ForwardClock?

    let network: DiT
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
    public init(network: DiT, entries: Int, workers: Workers) {
        let config = network.config
        func matrices(_ columns: Int) -> EntryRows {
            EntryRows(entries: entries, tokens: config.tokens, columns: columns)
        }
        self.network = network
        self.entries = entries
        self.workers = workers
        attention = Attention(
            tokens: config.tokens, heads: config.heads, headWidth: config.headWidth, workers: workers)
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        patches = Tensor([config.tokens, config.inChannels * patch])
        embedded = Tensor([config.tokens, width])
        stream = matrices(width)
        normed = matrices(width)
        qkv = matrices(3 * width)
        mixed = matrices(width)
        hidden = matrices(config.mlpWidth)
        site = matrices(width)
        projected = matrices(config.outChannels * patch)
    }

    /// What a workspace takes, in bytes.
    static func bytes(_ config: DiTConfig, entries: Int, workers: Workers) -> Int {
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        let perEntry = 7 * width + config.mlpWidth + config.outChannels * patch
        let shared = config.inChannels * patch + width
        let attention = Attention.bytes(tokens: config.tokens, headWidth: config.headWidth, workers: workers)
        return MemoryLayout<Float>.stride * config.tokens * (entries * perEntry + shared) + attention
    }
}
