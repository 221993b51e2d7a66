import Sampling

/// A forecast whose weights were fitted for one plan: a table of what stands for each reused output.
public struct FittedForecaster: Forecaster {
    /// What stands for one reused output.
    public struct Entry: Equatable, Sendable {
        /// The reused branch.
        public let branch: GuidanceBranches
        /// The model call.
        public let call: Int
        /// The sum that stands for its output.
        public let terms: [ForecastTerm]

        /// Joins the parts.
        public init(branch: GuidanceBranches, call: Int, terms: [ForecastTerm]) {
            self.branch = branch
            self.call = call
            self.terms = terms
        }
    }

    private struct Key: Hashable {
        let branch: GuidanceBranches
        let call: Int
    }

    public let name: String
    public let quantity: ForecastQuantity
    public let depth: Int
    public let bandCount: Int

    private let table: [Key: [ForecastTerm]]

    /// A forecaster from fitted weights.
    ///
    /// - Parameters:
    ///   - name: How they were fitted.
    ///   - quantity: What they weight.
    ///   - depth: How many evaluated outputs of each branch they look back on.
    ///   - bandCount: The weights of each term.
    ///   - entries: One for each reused output of the plan; of two for the same one the last counts.
    public init(name: String, quantity: ForecastQuantity, depth: Int, bandCount: Int, entries: [Entry]) {
        self.name = name
        self.quantity = quantity
        self.depth = depth
        self.bandCount = bandCount
        table = Dictionary(
            entries.map { (Key(branch: $0.branch, call: $0.call), $0.terms) }, uniquingKeysWith: { $1 })
    }

    /// What stands for each reused output, by call, then branch.
    public var entries: [Entry] {
        table.map { Entry(branch: $0.branch, call: $0.call, terms: $1) }
            .sorted { ($0.call, $0.branch.rawValue) < ($1.call, $1.branch.rawValue) }
    }

    public func check(_ plan: ReusePlan) throws(PlanError) {
        var reused = 0
        for call in plan.evaluated.indices {
            for (branch, branchName) in GuidanceBranches.named
            where plan.branches.contains(branch) && !plan.isFull(branch, at: call) {
                reused += 1
                guard let terms = table[Key(branch: branch, call: call)] else {
                    throw .doesNotFit(
                        "the \(name) forecaster was fitted for another plan: it has nothing for model call \(call) of "
                            + "the \(branchName) branch")
                }
                let history = OutputHistory(of: plan, at: call, depth: depth)
                guard terms.allSatisfy({ history.calls(of: $0.branch).contains($0.call) }) else {
                    throw .doesNotFit(
                        "the \(name) forecaster was fitted for another plan: at model call \(call) it looks back on "
                            + "outputs that are not kept")
                }
            }
        }
        guard reused == table.count else {
            throw .doesNotFit("the \(name) forecaster was fitted for a plan that reuses \(table.count) outputs")
        }
    }

    public func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        guard let terms = table[Key(branch: branch, call: call)] else {
            preconditionFailure("the plan has not been checked")
        }
        return terms
    }
}
