/// A kind of layer, such as attention. Caches and reports treat the layers of one kind alike.
public struct LayerKind: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The name by which reports tell it.
    public init(_ name: String) {
        rawValue = name
    }
}

extension LayerKind {
    /// The attention of an image's tokens to one another.
    public static let attention = LayerKind("attention")
    /// The attention of an image's tokens to those of its prompt.
    public static let crossAttention = LayerKind("cross-attention")
    /// The attention of a clip's tokens to those at the same place in its other frames.
    public static let temporalAttention = LayerKind("temporal attention")
    public static let mlp = LayerKind("mlp")
}

/// A place in a network whose work can be watched or replaced: a layer, or the whole stack of blocks.
public struct Site: Hashable, Sendable {
    public enum ID: Hashable, Sendable {
        /// The output of a layer of a block, before it is added to the hidden states.
        case layer(LayerKind, block: Int)
        /// The whole stack of blocks: from the embedded tokens to those that the final layer reads.
        case stack
        /// The blocks from `block` on, which is not the first: from the tokens that it reads to those that the final
        /// layer reads. It can be replaced in place, input and output being the same memory, but is not observed: its
        /// output is the stack's.
        case rest(from: Int)
    }

    public let id: ID
    /// The shape of its output: the grid of tokens, such as (H/P, W/P), and last their width D.
    public let shape: [Int]
    /// What it takes for one batch entry.
    public let multiplyAdds: Int

    public init(_ id: ID, shape: [Int], multiplyAdds: Int) {
        self.id = id
        self.shape = shape
        self.multiplyAdds = multiplyAdds
    }

    /// The width D of a token.
    public var width: Int { shape.last ?? 1 }

    /// The kind of layer and its block; nil for the stack.
    public var layer: (kind: LayerKind, block: Int)? {
        if case .layer(let kind, let block) = id { (kind, block) } else { nil }
    }
}

extension Site {
    /// The sites of a network: the layers of each block, then the stack of all blocks, with what their steps take.
    ///
    /// - Parameters:
    ///   - blocks: the kinds of layers that can be replaced, and the steps, of each block.
    ///   - grid: the shape of the stack's output.
    ///   - shape: that of a layer's; the stack's unless given.
    /// - Returns: the sites in the order of a forward.
    static func all(
        of blocks: [(kinds: [LayerKind], steps: [ForwardStep])], grid: [Int],
        shape: (LayerKind) -> [Int]? = { _ in nil }
    ) -> [Site] {
        blocks.enumerated().flatMap { index, block in
            block.kinds.map { kind in
                let id = ID.layer(kind, block: index)
                return Site(
                    id, shape: shape(kind) ?? grid, multiplyAdds: block.steps.filter { $0.site == id }.multiplyAdds)
            }
        } + [Site(.stack, shape: grid, multiplyAdds: blocks.flatMap(\.steps).multiplyAdds)]
    }
}

extension DenoisingNetwork {
    /// The layers of the blocks, in the order of a forward.
    public var layers: [Site] { sites.filter { $0.layer != nil } }

    /// The kinds of layers, in the order in which a forward first meets them.
    public var layerKinds: [LayerKind] {
        layers.compactMap(\.layer?.kind).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    public var blockCount: Int { (layers.compactMap(\.layer?.block).max() ?? -1) + 1 }

    public var stack: Site { sites.first { $0.id == .stack } ?? Site(.stack, shape: [1], multiplyAdds: 0) }
}

/// Watches the sites of a forward, or supplies their outputs instead of the network's work.
///
/// Block-level caches and the recording of trajectories hang in here. A forward without an interceptor pays nothing.
public protocol SiteInterceptor: AnyObject {
    /// Told once before the work at `site`, where a decision depends on all entries.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entries: the batch entries for which the work is due.
    ///   - input: the hidden states of an entry that enter the site, (T, D), before any norm.
    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>)

    /// Asked before the work at `site` for one batch entry.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entry: the batch entry.
    ///   - input: the hidden states that enter the site, (T, D), before any norm.
    ///   - output: where the site's output goes, (T, D); must not be changed unless the answer is true.
    /// - Returns: true if `output` has been filled and the work must be left out.
    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool

    /// Told of a site's output after the network has computed it; not called for replaced work.
    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>)
}

extension SiteInterceptor {
    /// Decides nothing.
    public func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {}

    /// Replaces nothing.
    public func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool { false }

    /// Ignores what it is shown.
    public func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {}
}
