import Compute
import Sampling

/// What one run of a ``CachedDenoiser`` remembers: the last evaluated outputs of each branch, as the forecaster's
/// quantity, by frequency where the forecaster tells frequencies apart.
final class RunState {
    /// The kept outputs of one branch: slot `ordinal % depth` holds the output of the branch's `ordinal`-th evaluation.
    private struct Kept {
        let slots: [Tensor]
        let ordinals: [Int: Int]  // by call
        let variance: Tensor?

        init(calls: [Int], depth: Int, shape: [Int], hasVariance: Bool) {
            slots = (0..<depth).map { _ in Tensor(shape) }
            ordinals = Dictionary(uniqueKeysWithValues: calls.enumerated().map { ($1, $0) })
            variance = hasVariance ? Tensor(shape) : nil
        }

        func slot(of call: Int) -> Tensor {
            guard let ordinal = ordinals[call] else { preconditionFailure("call \(call) is not evaluated") }
            return slots[ordinal % slots.count]
        }
    }

    /// For each call, what stands for the branch's output there; empty where it is evaluated.
    private typealias Forecasts = [[ForecastTerm]]

    private let conditional: Kept
    private let unconditional: Kept
    private let conditionalForecasts: Forecasts
    private let unconditionalForecasts: Forecasts
    private let transform: CosineTransform?
    private let bands: FrequencyBands?
    private let sum: Tensor

    init(plan: ReusePlan, forecaster: any Forecaster, shape: [Int], hasVariance: Bool) {
        func forecasts(_ branch: GuidanceBranches) -> Forecasts {
            plan.evaluated.indices.map { call in
                guard plan.branches.contains(branch), !plan.isFull(branch, at: call) else { return [] }
                let history = OutputHistory(of: plan, at: call, depth: forecaster.depth)
                return forecaster.terms(for: branch, at: call, history: history)
            }
        }
        func kept(_ branch: GuidanceBranches) -> Kept {
            let isUsed = plan.branches.contains(branch)
            return Kept(
                calls: plan.fullCalls(of: branch), depth: isUsed ? forecaster.depth : 0, shape: shape,
                hasVariance: hasVariance && isUsed)
        }
        conditional = kept(.conditional)
        unconditional = kept(.unconditional)
        conditionalForecasts = forecasts(.conditional)
        unconditionalForecasts = forecasts(.unconditional)
        let usesBands = forecaster.bandCount > 1
        transform = usesBands ? CosineTransform(shape: shape) : nil
        bands = usesBands ? FrequencyBands(shape: shape, count: forecaster.bandCount) : nil
        sum = Tensor(shape)
    }

    private func kept(_ branch: GuidanceBranches) -> Kept { branch == .conditional ? conditional : unconditional }

    /// Keeps an evaluated output: a x + b y, transformed where bands are told apart.
    func keep(
        _ output: ModelOutput, of branch: GuidanceBranches, at call: Int, latents: Tensor, as quantity: StateAndOutput
    ) {
        let kept = kept(branch)
        let slot = kept.slot(of: call)
        let (a, b) = (Float(quantity.state), Float(quantity.output))
        let (x, y, q) = (latents.values, output.prediction.values, slot.values)
        for i in 0..<q.count { q[i] = a * x[i] + b * y[i] }
        transform?.forward(slot)
        if let variance = output.variance { kept.variance?.copy(from: variance) }
    }

    /// Writes the forecast of a reused output: y = (q − a x)/b. A learned variance is held.
    ///
    /// `terms` say what to forecast with; nil for what the forecaster says.
    func forecast(
        _ output: ModelOutput, of branch: GuidanceBranches, at call: Int, latents: Tensor,
        from quantity: StateAndOutput, terms: [ForecastTerm]? = nil
    ) {
        let terms = terms ?? (branch == .conditional ? conditionalForecasts : unconditionalForecasts)[call]
        sum.values.update(repeating: 0)
        for term in terms { add(term) }
        transform?.inverse(sum)
        let (a, b) = (Float(-quantity.state / quantity.output), Float(1 / quantity.output))
        let (x, y, q) = (latents.values, output.prediction.values, sum.values)
        for i in 0..<q.count { y[i] = a * x[i] + b * q[i] }
        if let variance = kept(branch).variance { output.variance?.copy(from: variance) }
    }

    /// The kept output of `branch` at `call`, as the forecaster's quantity, by frequency where there are bands.
    func source(_ branch: GuidanceBranches, at call: Int) -> Tensor { kept(branch).slot(of: call) }

    private func add(_ term: ForecastTerm) {
        let source = source(term.branch, at: term.call)
        let (s, q) = (sum.values, source.values)
        guard let bands, term.weights.count > 1 else {
            let weight = Float(term.weights[0])
            for i in 0..<s.count { s[i] += weight * q[i] }
            return
        }
        let weights = term.weights.map { Float($0) }
        let plane = bands.indices.count
        for start in stride(from: 0, to: s.count, by: plane) {
            for i in 0..<plane { s[start + i] += weights[Int(bands.indices[i])] * q[start + i] }
        }
    }
}
