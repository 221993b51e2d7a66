import Compute

/// One step of a forward, as prices and benchmarks see it.
public struct ForwardStep: Sendable {
    /// What is computed from each row of tokens.
    public enum Work: Sendable {
        /// An affine map, with the activation that follows it.
        case product(Linear, activation: Activation?)
        /// The attention of all rows to `keys` rows.
        case attention(heads: Int, headWidth: Int, keys: Int)
        /// A layer norm with its modulation.
        case modulation(width: Int, epsilon: Double)
        /// A gated residual.
        case gatedAdd(width: Int)
    }

    /// Its name in reports.
    public let name: String
    /// Where it takes place; nil outside the blocks.
    public let site: Site.ID?
    /// The rows of one batch entry.
    public let rows: Int
    /// Whether it is done once for all entries, since it does not depend on the condition.
    public let isShared: Bool
    /// What is computed.
    public let work: Work

    /// Joins the parts.
    public init(_ name: String, at site: Site.ID? = nil, rows: Int, isShared: Bool = false, _ work: Work) {
        self.name = name
        self.site = site
        self.rows = rows
        self.isShared = isShared
        self.work = work
    }

    /// The multiply-adds of its matrix products for one entry; what is done element by element does not count.
    public var multiplyAdds: Int {
        switch work {
        case .product(let layer, _): rows * layer.weight.count
        case .attention(let heads, let headWidth, let keys): 2 * rows * keys * heads * headWidth
        case .modulation, .gatedAdd: 0
        }
    }
}

extension Sequence<ForwardStep> {
    /// The multiply-adds of all steps for one entry.
    public var multiplyAdds: Int { reduce(0) { $0 + $1.multiplyAdds } }
}
