import Caching
import Sampling

/// A forecast with weights that are known before the run: those of a branch's last outputs, by call, the same for all
/// branches.
struct WeightTable: ForecastRule {
    static let kinds = ["table"]

    /// By call, the weights of the last full outputs, newest first; empty where the call is full.
    let weights: [[Double]]

    var depth: Int { max(1, weights.map(\.count).max() ?? 1) }

    /// A table for the reused calls of a plan that treats all branches alike.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - depth: The most outputs that a forecast looks back on.
    ///   - weights: The weights of the outputs at `sources`, newest first, that stand in for the one at `call`.
    init(
        for plan: ReusePlan, depth: Int, weights: (_ call: Int, _ sources: [Int]) throws -> [Double]
    ) rethrows {
        self.weights = try (0..<plan.calls).map { call in
            guard !plan.isFull(.conditional, at: call) else { return [] }
            return try weights(
                call, OutputHistory(of: plan, at: call, depth: depth).calls(of: .conditional))
        }
    }

    func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        zip(history.calls(of: branch), weights[call]).map { ForecastTerm(branch: branch, call: $0, weight: $1) }
    }
}
