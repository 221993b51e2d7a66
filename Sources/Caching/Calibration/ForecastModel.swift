import Sampling

/// The best linear forecast of the guided output from any outputs that a plan has evaluated, and the error that it
/// leaves, from a calibration alone.
///
/// Per frequency band, the weights of a branch's last ``conditionalDepth`` or ``unconditionalDepth`` outputs are fitted
/// by least squares, pulled a little towards holding the last ones. Where the one branch is evaluated and the other is
/// not, the evaluated one's present output is among them. Results are remembered, so that a planner can ask freely.
final class ForecastModel {
    /// The forecast of a guided output.
    struct Fit {
        /// The outputs that are weighted: conditional ones, newest first, then unconditional ones.
        let sources: [(branch: GuidanceBranches, call: Int)]
        /// One weight per band for each source.
        let weights: [[Double]]
        /// The mean square of the error, summed over all elements of an output.
        let error: Double
    }

    /// The conditional outputs that a forecast looks back on.
    static let conditionalDepth = 3
    /// The unconditional outputs that a forecast looks back on.
    static let unconditionalDepth = 2
    /// The ridge of the regression, relative to the mean energy of the sources.
    static let ridge = 1e-5

    let branches: GuidanceBranches
    let guidanceScale: Double
    let bandCount: Int
    private let gram: TrajectoryGram
    private let means: [Double]  // (bands, order, order)
    private let order: Int
    private var known: [Key: Double] = [:]

    private struct Key: Hashable {
        let call: Int
        let conditional: History
        let unconditional: History
    }

    /// Up to three calls, newest first; −1 for none.
    struct History: Hashable {
        var first = -1
        var second = -1
        var third = -1

        init(_ first: Int, _ second: Int, _ third: Int) {
            (self.first, self.second, self.third) = (first, second, third)
        }

        init(_ calls: some Sequence<Int>) {
            var iterator = calls.makeIterator()
            first = iterator.next() ?? -1
            second = iterator.next() ?? -1
            third = iterator.next() ?? -1
        }

        var calls: [Int] { [first, second, third].filter { $0 >= 0 } }
    }

    init(_ calibration: Calibration) {
        gram = calibration.gram
        branches = gram.branches
        guidanceScale = gram.guidanceScale
        bandCount = gram.bandCount
        order = gram.sums[0].rows
        let runs = Double(gram.runs)
        means = gram.sums.flatMap { sum in sum.elements.map { $0 / runs } }
    }

    /// The error of the best forecast at `call` from these outputs.
    func error(at call: Int, conditional: History, unconditional: History) -> Double {
        let key = Key(call: call, conditional: conditional, unconditional: unconditional)
        if let known = known[key] { return known }
        let error = fit(at: call, conditional: conditional, unconditional: unconditional).error
        known[key] = error
        return error
    }

    /// The best forecast at `call` for a plan that has evaluated these outputs; 0 error where all are present.
    func fit(at call: Int, conditional: History, unconditional: History) -> Fit {
        let (c, u) = (conditional.calls, unconditional.calls)
        let isGuided = branches.contains(.unconditional)
        let sources =
            c.map { (branch: GuidanceBranches.conditional, call: $0) }
            + (isGuided ? u.map { (branch: .unconditional, call: $0) } : [])
        let rows = sources.map { gram.row(of: $0.branch, at: $0.call) }
        let prior = prior(at: call, conditional: c, unconditional: u)
        // What is left to explain, as a sum of rows: the guided output minus the prior's forecast.
        var residual: [(row: Int, weight: Double)] = zip(rows, prior).map { ($0, -$1) }
        residual.append((gram.row(of: .conditional, at: call), isGuided ? guidanceScale : 1))
        if isGuided { residual.append((gram.row(of: .unconditional, at: call), 1 - guidanceScale)) }
        var weights = sources.map { _ in [Double](repeating: 0, count: bandCount) }
        var error = 0.0
        for band in 0..<bandCount {
            let start = band * order * order
            func product(_ i: Int, _ j: Int) -> Double { means[start + i * order + j] }
            var products: [Double] = []
            products.reserveCapacity(rows.count * rows.count)
            for i in rows { for j in rows { products.append(product(i, j)) } }
            let right = rows.map { i in residual.reduce(0) { $0 + $1.weight * product(i, $1.row) } }
            var solution = right
            var factored = products
            NormalEquations.solve(&factored, &solution, ridge: Self.ridge)
            var energy = 0.0
            for a in residual { for b in residual { energy += a.weight * b.weight * product(a.row, b.row) } }
            for i in rows.indices {
                energy -= 2 * solution[i] * right[i]
                for j in rows.indices { energy += solution[i] * solution[j] * products[i * rows.count + j] }
                weights[i][band] = prior[i] + solution[i]
            }
            error += max(energy, 0)
        }
        return Fit(sources: sources, weights: weights, error: error)
    }

    /// The best forecast at `call` of `plan`.
    func fit(at call: Int, in plan: ReusePlan) -> Fit {
        let history = OutputHistory(of: plan, at: call, depth: Self.conditionalDepth)
        return fit(
            at: call, conditional: History(history.calls(of: .conditional)),
            unconditional: History(history.calls(of: .unconditional).prefix(Self.unconditionalDepth)))
    }

    /// Holding what is not there: the last guided output, or the present output and the last difference to the other.
    private func prior(at call: Int, conditional c: [Int], unconditional u: [Int]) -> [Double] {
        guard branches.contains(.unconditional) else { return c.indices.map { $0 == 0 ? 1 : 0 } }
        var weights = [Double](repeating: 0, count: c.count + u.count)
        weights[0] = guidanceScale
        weights[c.count] = 1 - guidanceScale
        if c[0] == call, u[0] != call, let common = c.firstIndex(of: u[0]) {
            // c_n + (g − 1)(c_m − u_m)
            weights[0] = 1
            weights[common] += guidanceScale - 1
        } else if u[0] == call, c[0] != call, let common = u.firstIndex(of: c[0]) {
            // u_n + g (c_m − u_m)
            weights[c.count] = 1
            weights[c.count + common] -= guidanceScale
        }
        return weights
    }
}

/// Turns a forecast of the guided output into forecasts of its branches, which guidance puts together again.
///
/// With g the guidance scale, e = g c + (1 − g) u. Where one branch is evaluated the other one is solved for; where none
/// is, both stand for the guided output itself.
struct GuidedTerms {
    let branches: GuidanceBranches
    let guidanceScale: Double

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
    ) -> [FittedRule.Entry] {
        let guided = zip(sources, weights).map { source, weights in
            ForecastTerm(branch: source.branch, call: source.call, weights: weights)
        }
        let missing = branches.subtracting(evaluated)
        switch missing {
        case []:
            return []
        case branches:
            return [GuidanceBranches.conditional, .unconditional].filter(branches.contains)
                .map { FittedRule.Entry(branch: $0, call: call, terms: guided) }
        default:
            let share = missing == .conditional ? guidanceScale : 1 - guidanceScale
            guard abs(share) > 1e-6 else {
                // The missing branch has no part in the guided output: any forecast will do.
                return [FittedRule.Entry(branch: missing, call: call, terms: guided)]
            }
            let terms = guided.map { term in
                let present = term.call == call ? 1 - share : 0
                return ForecastTerm(
                    branch: term.branch, call: term.call, weights: term.weights.map { ($0 - present) / share })
            }
            return [FittedRule.Entry(branch: missing, call: call, terms: terms)]
        }
    }
}

/// The `spectral` forecaster.
extension Forecaster {
    /// For each reused output of `plan`, and each frequency band, the weights of the last evaluated outputs that fit the
    /// calibration's uncached runs best. Costs no model evaluation.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` when the calibration is for another kind of run.
    public static func spectral(for plan: ReusePlan, calibration: Calibration) throws(PlanError) -> Forecaster {
        try calibration.check(calls: plan.calls, branches: plan.branches)
        let model = ForecastModel(calibration)
        let terms = GuidedTerms(branches: model.branches, guidanceScale: model.guidanceScale)
        let entries = plan.evaluated.indices.flatMap { call -> [FittedRule.Entry] in
            guard plan.evaluated[call] != plan.branches else { return [] }
            let fit = model.fit(at: call, in: plan)
            return terms.entries(
                at: call, sources: fit.sources, weights: fit.weights, evaluated: plan.evaluated[call])
        }
        return .fitted(
            name: .spectral, quantity: calibration.quantity, depth: ForecastModel.conditionalDepth,
            bandCount: model.bandCount, entries: entries)
    }
}
