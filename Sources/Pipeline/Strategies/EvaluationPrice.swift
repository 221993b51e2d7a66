import Models
import OmniCache

/// What the parts of a forward cost, in multiply-adds of its matrix products.
///
/// An evaluation is a full forward of the run's branches, divided by their number. The modulation is left out: it depends
/// on the timestep and the class alone and is computed for whole windows of calls, reused or not; so is what is done
/// element by element.
public struct EvaluationPrice: Equatable, Sendable {
    /// The patch embedding, once for all branches.
    public let embedding: Int
    /// The attention of one block: queries, keys and values, scores, mixture, output.
    public let attention: Int
    /// The MLP of one block.
    public let mlp: Int
    /// The final projection.
    public let finalLayer: Int
    /// The number of blocks.
    public let depth: Int
    /// The number of guidance branches.
    public let branches: Int

    /// The prices for a network and a number of branches.
    public init(_ config: DiTConfig, branches: Int) {
        let (tokens, width) = (config.tokens, config.hiddenSize)
        let area = config.patchSize * config.patchSize
        embedding = tokens * config.inChannels * area * width
        attention = tokens * width * 4 * width + 2 * tokens * tokens * width
        mlp = 2 * tokens * width * config.mlpWidth
        finalLayer = tokens * width * config.outChannels * area
        depth = config.depth
        self.branches = branches
    }

    /// A call with nothing reused.
    public var fullCall: Int { call(blocks: depth) }

    /// A call that runs `blocks` blocks of every branch, and what is before and behind the stack.
    public func call(blocks: Int) -> Int {
        embedding + branches * (blocks * (attention + mlp) + finalLayer)
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
        return min(calls, left / upgrade)
    }

    /// The fewest evaluations that allow `full` full calls of `calls`.
    public func smallest(full: Int, of calls: Int, reused: Int) -> Int {
        let work = (full * fullCall + (calls - full) * reused) * branches
        return (work + fullCall - 1) / fullCall
    }
}
