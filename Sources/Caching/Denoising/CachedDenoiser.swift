import Compute
import Sampling

/// Follows a plan around any denoiser: evaluates what the plan evaluates and forecasts the rest.
///
/// State is per image and per branch; ``begin(calls:branches:shape:)`` forgets it. Memory: the forecaster's depth in
/// outputs per branch. A plan that evaluates everything changes no bit.
public final class CachedDenoiser: Denoiser {
    /// The plan.
    public let plan: ReusePlan
    /// What fills the gaps.
    public let forecaster: any Forecaster

    private let base: any Denoiser
    private let predictionType: PredictionType
    private var state: RunState?

    /// Wraps `base`.
    ///
    /// - Parameters:
    ///   - base: The denoiser that evaluates.
    ///   - predictionType: What its outputs are.
    ///   - plan: Which branches are evaluated when; every branch at the first call.
    ///   - forecaster: What fills the gaps.
    public init(_ base: any Denoiser, predictionType: PredictionType, plan: ReusePlan, forecaster: any Forecaster) {
        self.base = base
        self.predictionType = predictionType
        self.plan = plan
        self.forecaster = forecaster
    }

    public var hasVariance: Bool { base.hasVariance }

    public func begin(calls: [ModelCall], branches: GuidanceBranches, shape: [Int]) throws {
        guard plan.calls == calls.count, plan.branches == branches else {
            throw PlanError.doesNotFit(
                "a plan of \(plan.calls) model calls for a run of \(calls.count), or for other guidance branches")
        }
        guard plan.evaluated.first == branches else {
            throw PlanError.doesNotFit("a plan that reuses at the first model call, where there is nothing to reuse")
        }
        try forecaster.check(plan)
        state = RunState(plan: plan, forecaster: forecaster, shape: shape, hasVariance: hasVariance)
        try base.begin(calls: calls, branches: branches, shape: shape)
    }

    public func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard let state else { preconditionFailure("begin has not been called") }
        let evaluated = plan.evaluated[call.index].intersection(branches)
        if !evaluated.isEmpty { try base.evaluate(evaluated, at: call, latents: latents, into: outputs) }
        guard plan.evaluations < plan.fullEvaluations else { return }
        let sum = forecaster.quantity.sum(of: predictionType, at: call.level)
        for (branch, output) in [
            (GuidanceBranches.conditional, outputs.conditional),
            (.unconditional, outputs.unconditional),
        ] where evaluated.contains(branch) {
            state.keep(output, of: branch, at: call.index, latents: latents, as: sum)
        }
        for (branch, output) in [
            (GuidanceBranches.conditional, outputs.conditional),
            (.unconditional, outputs.unconditional),
        ] where branches.subtracting(evaluated).contains(branch) {
            state.forecast(output, of: branch, at: call.index, latents: latents, from: sum)
        }
    }

    /// The kept output of `branch` at `call`, as the forecaster's quantity and by frequency: what forecasts weight.
    func source(_ branch: GuidanceBranches, at call: Int) -> Tensor {
        guard let state else { preconditionFailure("begin has not been called") }
        return state.source(branch, at: call)
    }

    /// Replaces the forecasts that ``evaluate(_:at:latents:into:)`` has written by others from the same outputs.
    func rewrite(_ entries: [FittedForecaster.Entry], at call: ModelCall, latents: Tensor, into outputs: BranchOutputs)
    {
        let sum = forecaster.quantity.sum(of: predictionType, at: call.level)
        for entry in entries {
            state?.forecast(
                entry.branch == .conditional ? outputs.conditional : outputs.unconditional, of: entry.branch,
                at: call.index, latents: latents, from: sum, terms: entry.terms)
        }
    }
}
