import Sampling

/// Turns a forecast of the guided output into forecasts of its branches, which guidance puts together again.
///
/// With g the guidance scale, e = g c + (1 − g) u. Where one branch is evaluated the other one is solved for; where none
/// is, both stand for the guided output itself.
struct GuidedTerms {
    let branches: GuidanceBranches
    let guidanceScale: Double
    let bandCount: Int

    /// The table entries that make the guided output of `call` the weighted sum of `sources`.
    ///
    /// - Parameters:
    ///   - call: The model call.
    ///   - sources: The outputs that are weighted.
    ///   - weights: One weight per band for each.
    ///   - evaluated: What is evaluated at the call.
    /// - Returns: One entry for each branch that is not evaluated.
    func entries(
        at call: Int, sources: [(branch: GuidanceBranches, call: Int)], weights: [[Double]], evaluated: GuidanceBranches
    ) -> [FittedForecaster.Entry] {
        let guided = zip(sources, weights).map { source, weights in
            ForecastTerm(branch: source.branch, call: source.call, weights: weights)
        }
        let missing = branches.subtracting(evaluated)
        switch missing {
        case []:
            return []
        case branches:
            return [GuidanceBranches.conditional, .unconditional].filter(branches.contains)
                .map { FittedForecaster.Entry(branch: $0, call: call, terms: guided) }
        default:
            let share = missing == .conditional ? guidanceScale : 1 - guidanceScale
            guard abs(share) > 1e-6 else {
                // The missing branch has no part in the guided output: any forecast will do.
                return [FittedForecaster.Entry(branch: missing, call: call, terms: guided)]
            }
            let terms = guided.map { term in
                let present = term.call == call ? 1 - share : 0
                return ForecastTerm(
                    branch: term.branch, call: term.call, weights: term.weights.map { ($0 - present) / share })
            }
            return [FittedForecaster.Entry(branch: missing, call: call, terms: terms)]
        }
    }
}
