import Sampling

/// Weights that were fitted for one plan: a table with a sum for each reused output.
public struct FittedRule: ForecastRule {
    public static var kinds: [String] { Name.allCases.map(\.rawValue) }

    /// The ways to fit.
    public enum Name: String, CaseIterable, Codable, Sendable {
        /// Least squares on the uncached run's outputs.
        case spectral
        /// In closed loop, to lead back to the uncached run's path.
        case steering
    }

    /// The sum for one reused output.
    public struct Entry: Equatable, Codable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case branch, call
            case terms = "sum"
        }

        /// The reused branch.
        public let branch: GuidanceBranches
        /// The model call.
        public let call: Int
        /// The sum that replaces its output.
        public let terms: [ForecastTerm]

        /// Joins the parts.
        public init(branch: GuidanceBranches, call: Int, terms: [ForecastTerm]) {
            self.branch = branch
            self.call = call
            self.terms = terms
        }
    }

    private enum CodingKeys: String, CodingKey {
        case depth
        case fit = "kind"
        case bandCount = "bands"
        case entries = "terms"
    }

    /// The most outputs of a branch that a fitted forecast may keep.
    private static let deepest = 64

    /// How the weights were fitted.
    public let fit: Name
    public let depth: Int
    /// The weights of each term.
    public let bandCount: Int
    /// One for each reused output of the plan.
    public let entries: [Entry]

    public var kind: String { fit.rawValue }

    public func validate() throws(PlanError) {
        guard (1...255).contains(bandCount), (1...Self.deepest).contains(depth) else {
            throw .invalidForecaster(
                "\(kind): \(bandCount) bands and a depth of \(depth); there are 1 to 255 bands, and 1 to "
                    + "\(Self.deepest) outputs to look back on")
        }
        for term in entries.flatMap(\.terms)
        where term.weights.count != bandCount || !term.weights.allSatisfy(\.isFinite) {
            throw .invalidForecaster("\(kind): a term does not have \(bandCount) finite weights")
        }
    }

    public func check(_ plan: ReusePlan) throws(PlanError) {
        let problem = "the \(kind) forecaster was fitted for another plan:"
        var reused = 0
        for call in plan.evaluated.indices {
            for (branch, branchName) in GuidanceBranches.named
            where plan.branches.contains(branch) && !plan.isFull(branch, at: call) {
                reused += 1
                guard let terms = terms(for: branch, at: call) else {
                    throw .doesNotFit("\(problem) it has nothing for model call \(call) of the \(branchName) branch")
                }
                let history = OutputHistory(of: plan, at: call, depth: depth)
                guard terms.allSatisfy({ history.calls(of: $0.branch).contains($0.call) }) else {
                    throw .doesNotFit("\(problem) at model call \(call) it looks back on outputs that are not kept")
                }
            }
        }
        guard reused == entries.count else { throw .doesNotFit("\(problem) that one reuses \(entries.count) outputs") }
    }

    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        guard let terms = terms(for: branch, at: call) else { preconditionFailure("the plan has not been checked") }
        return terms
    }

    private func terms(for branch: GuidanceBranches, at call: Int) -> [ForecastTerm]? {
        entries.first { $0.call == call && $0.branch == branch }?.terms
    }
}

extension Forecaster {
    /// ``FittedRule`` with one entry for each reused output of a plan.
    public static func fitted(
        name: FittedRule.Name, quantity: ForecastQuantity, depth: Int, bandCount: Int, entries: [FittedRule.Entry]
    ) -> Forecaster {
        Forecaster(FittedRule(fit: name, depth: depth, bandCount: bandCount, entries: entries), of: quantity)
    }
}
