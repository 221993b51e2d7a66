import Models

/// What the parts of a forward cost, in multiply-adds of its matrix products.
///
/// An evaluation is a full forward of the run's branches, divided by their number. What a session computes ahead is left
/// out: it depends on the timestep and the condition alone, reused or not; so is what is done element by element.
public struct EvaluationPrice: Equatable, Sendable {
    /// What is done once for all branches, such as embedding the latents.
    public let shared: Int
    /// What is done for each branch outside the layers, such as the final projection.
    public let perBranch: Int
    /// The number of guidance branches.
    public let branches: Int

    private let layers: [Site]

    /// The prices for a network and a number of branches.
    public init(_ network: any DenoisingNetwork, branches: Int) {
        let outside = network.steps.filter { $0.site == nil }
        shared = outside.filter(\.isShared).multiplyAdds
        perBranch = outside.filter { !$0.isShared }.multiplyAdds
        layers = network.layers
        self.branches = branches
    }

    /// A call with nothing reused.
    public var fullCall: Int { call { _ in true } }

    /// A call that runs some of the layers in every branch, and what is before and behind the stack.
    public func call(running isRun: (Site) -> Bool) -> Int {
        shared + branches * (perBranch + layers.reduce(0) { isRun($1) ? $0 + $1.multiplyAdds : $0 })
    }

    /// A call that runs the first `blocks` blocks of every branch.
    public func call(blocks: Int) -> Int {
        call { ($0.layer?.block ?? 0) < blocks }
    }

    /// All layers of one kind, in one branch.
    public func layers(of kind: LayerKind) -> Int {
        layers.reduce(0) { $1.layer?.kind == kind ? $0 + $1.multiplyAdds : $0 }
    }

    /// `work` in evaluations.
    public func evaluations(_ work: Int) -> Double {
        Double(work * branches) / Double(fullCall)
    }

    /// Whether `work` is within `evaluations`, exactly.
    public func allows(_ work: Int, within evaluations: Int) -> Bool {
        work * branches <= evaluations * fullCall
    }

    /// How many of `calls` calls can be full within `evaluations` when each of the others costs `reused`; negative when
    /// none can.
    public func fullCalls(of calls: Int, within evaluations: Int, reused: Int) -> Int {
        let left = evaluations * fullCall - calls * reused * branches
        let upgrade = (fullCall - reused) * branches
        guard left >= 0 else { return -1 }
        guard upgrade > 0 else { return calls }
        return min(calls, left / upgrade)
    }

    /// The fewest evaluations that allow `full` full calls of `calls`.
    public func smallest(full: Int, of calls: Int, reused: Int) -> Int {
        let work = (full * fullCall + (calls - full) * reused) * branches
        return (work + fullCall - 1) / fullCall
    }
}

/// Counts the work that an interceptor leaves to the network.
final class WorkMeter: SiteInterceptor {
    /// The multiply-adds so far.
    private(set) var work = 0

    private let cache: any SiteInterceptor
    private let price: EvaluationPrice
    private let layers: [Site.ID: Int]

    init(_ cache: any SiteInterceptor, price: EvaluationPrice, network: any DenoisingNetwork) {
        self.cache = cache
        self.price = price
        layers = Dictionary(uniqueKeysWithValues: network.layers.map { ($0.id, $0.multiplyAdds) })
    }

    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        if site == .stack { work += price.shared + entries.count * price.perBranch }
        cache.approach(site, call: call, entries: entries, input: input)
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard !cache.replaces(site, call: call, entry: entry, input: input, output: output) else { return true }
        work += layers[site] ?? 0
        return false
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        cache.observe(site, call: call, entry: entry, input: input, output: output)
    }
}
