import Compute
import Sampling

/// Follows a plan around any denoiser: evaluates what the plan evaluates and forecasts the rest.
///
/// State is per image and per branch; ``begin(calls:guidance:shape:)`` forgets it. Memory: the forecaster's depth in
/// outputs per branch. A plan that evaluates everything changes no bit.
///
/// With a ``PlanGuard``, an image that is found hard goes on with another plan.
public final class CachedDenoiser: Denoiser {
    /// What a run follows.
    private struct Course {
        let plan: ReusePlan
        let forecaster: Forecaster
    }

    private let base: any Denoiser
    private let predictionType: PredictionType
    private let light: Course
    private let planGuard: PlanGuard?
    private var course: Course
    private var state: RunState?
    /// x0 by the conditional branch at the last call that evaluated it, until it is decided.
    private var clean: Tensor?

    /// The plan that the run follows; it can change once where there is a guard.
    public var plan: ReusePlan { course.plan }
    /// What fills its gaps.
    public var forecaster: Forecaster { course.forecaster }
    /// What the guard has seen (``GuardRule``); nil before the decision, or without a guard.
    public private(set) var change: Double?
    /// Whether the image was found hard.
    public private(set) var isHard = false

    /// Wraps `base`.
    ///
    /// - Parameters:
    ///   - base: The denoiser that evaluates.
    ///   - predictionType: What its outputs are.
    ///   - plan: Which branches are evaluated when; every branch at the first call.
    ///   - forecaster: What fills the gaps.
    ///   - planGuard: Another plan for hard images; nil for none.
    public init(
        _ base: any Denoiser, predictionType: PredictionType, plan: ReusePlan, forecaster: Forecaster,
        planGuard: PlanGuard? = nil
    ) {
        self.base = base
        self.predictionType = predictionType
        self.planGuard = planGuard
        light = Course(plan: plan, forecaster: forecaster)
        course = light
    }

    public var hasVariance: Bool { base.hasVariance }

    public func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        (course, clean, change, isHard) = (light, nil, nil, false)
        guard plan.calls == calls.count, plan.branches == guidance.branches else {
            throw PlanError.doesNotFit(
                "a plan of \(plan.calls) model calls for a run of \(calls.count), or for other guidance branches")
        }
        guard plan.evaluated.first == plan.branches else {
            throw PlanError.doesNotFit("a plan that reuses at the first model call, where there is nothing to reuse")
        }
        try forecaster.check(plan)
        try planGuard?.check(from: plan, forecaster)
        state = RunState(
            plan: plan, forecaster: forecaster, calls: calls, guidance: guidance, shape: shape, hasVariance: hasVariance
        )
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    public func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard let state else { preconditionFailure("begin has not been called") }
        let evaluated = plan.evaluated[call.index].intersection(branches)
        if !evaluated.isEmpty { try base.evaluate(evaluated, at: call, latents: latents, into: outputs) }
        guard plan.evaluations < plan.fullEvaluations else { return }
        let sum = forecaster.quantity.sum(of: predictionType, at: call.level)
        for (branch, _) in GuidanceBranches.named where evaluated.contains(branch) {
            state.keep(outputs[branch], of: branch, at: call.index, latents: latents, as: sum)
        }
        for (branch, _) in GuidanceBranches.named where branches.subtracting(evaluated).contains(branch) {
            state.forecast(outputs[branch], of: branch, at: call.index, latents: latents, from: sum)
        }
        if let planGuard, change == nil, evaluated.contains(.conditional) {
            watch(outputs.conditional.prediction, at: call, latents: latents, for: planGuard)
        }
    }

    /// Looks at an evaluated conditional output; at the rule's call, decides on the plan of the rest of the run.
    private func watch(_ output: Tensor, at call: ModelCall, latents: Tensor, for planGuard: PlanGuard) {
        let new = Tensor(latents.shape)
        StepKernels.combine(latents, predictionType.clean(at: call.level), output, into: new)
        let old = clean
        clean = new
        guard call.index == planGuard.rule.call, let old else { return }
        clean = nil
        let change = GuardRule.change(from: old, to: new)
        self.change = change
        guard change > planGuard.rule.threshold, let state else { return }
        isHard = true
        course = Course(plan: planGuard.plan, forecaster: planGuard.forecaster)
        self.state = RunState(goingOn: state, plan: plan, forecaster: forecaster)
    }

    /// The kept output of `branch` at `call`, as the forecaster's quantity and by frequency: what forecasts weight.
    func source(_ branch: GuidanceBranches, at call: Int) -> Tensor {
        guard let state else { preconditionFailure("begin has not been called") }
        return state.source(branch, at: call)
    }

    /// Replaces the forecasts that ``evaluate(_:at:latents:into:)`` has written by others from the same outputs.
    func rewrite(_ entries: [FittedRule.Entry], at call: ModelCall, latents: Tensor, into outputs: BranchOutputs) {
        let sum = forecaster.quantity.sum(of: predictionType, at: call.level)
        for entry in entries {
            state?.forecast(
                outputs[entry.branch], of: entry.branch, at: call.index, latents: latents, from: sum,
                terms: entry.terms)
        }
    }
}

/// What one run of a ``CachedDenoiser`` remembers: the last evaluated outputs of each branch, as the forecaster's
/// quantity, by frequency where the forecaster tells frequencies apart.
private final class RunState {
    /// The kept outputs of one branch: slot `ordinal % depth` holds the output of the branch's `ordinal`-th evaluation.
    private struct Kept {
        let slots: [Tensor]
        let ordinals: [Int: Int]  // by call
        let variance: Tensor?

        init(calls: [Int], depth: Int, shape: [Int], hasVariance: Bool) {
            self.init(
                calls: calls, slots: (0..<depth).map { _ in Tensor(shape) },
                variance: hasVariance ? Tensor(shape) : nil)
        }

        /// The same outputs in a run that goes on to evaluate at other calls.
        init(calls: [Int], slots: [Tensor], variance: Tensor?) {
            self.slots = slots
            self.variance = variance
            ordinals = Dictionary(uniqueKeysWithValues: calls.enumerated().map { ($1, $0) })
        }

        /// The newest output up to a call.
        func newest(at call: Int) -> Tensor { slot(of: ordinals.keys.filter { $0 <= call }.max() ?? call) }

        func slot(of call: Int) -> Tensor {
            guard let ordinal = ordinals[call] else { preconditionFailure("call \(call) is not evaluated") }
            return slots[ordinal % slots.count]
        }
    }

    /// For each call, the sum that replaces the branch's output; empty where the branch is evaluated.
    private typealias Forecasts = [[ForecastTerm]]

    private let calls: [ModelCall]
    private let guidance: Guidance
    private let conditional: Kept
    private let unconditional: Kept
    private let conditionalForecasts: Forecasts
    private let unconditionalForecasts: Forecasts
    private let transform: CosineTransform?
    private let bands: FrequencyBands?
    private let sum: Tensor

    init(
        plan: ReusePlan, forecaster: Forecaster, calls: [ModelCall], guidance: Guidance, shape: [Int], hasVariance: Bool
    ) {
        func kept(_ branch: GuidanceBranches) -> Kept {
            let isUsed = plan.branches.contains(branch)
            return Kept(
                calls: plan.fullCalls(of: branch), depth: isUsed ? forecaster.rule.depth : 0, shape: shape,
                hasVariance: hasVariance && isUsed)
        }
        self.calls = calls
        self.guidance = guidance
        conditional = kept(.conditional)
        unconditional = kept(.unconditional)
        conditionalForecasts = Self.forecasts(.conditional, plan, forecaster, calls)
        unconditionalForecasts = Self.forecasts(.unconditional, plan, forecaster, calls)
        let bandCount = forecaster.rule.bandCount
        transform = bandCount > 1 ? CosineTransform(shape: shape) : nil
        bands = bandCount > 1 ? FrequencyBands(shape: shape, count: bandCount) : nil
        sum = Tensor(shape)
    }

    /// The rest of a run under another plan, which has evaluated the same until now, with a forecaster that keeps as much.
    init(goingOn run: RunState, plan: ReusePlan, forecaster: Forecaster) {
        func kept(_ branch: GuidanceBranches) -> Kept {
            let kept = run.kept(branch)
            return Kept(calls: plan.fullCalls(of: branch), slots: kept.slots, variance: kept.variance)
        }
        (calls, guidance) = (run.calls, run.guidance)
        conditional = kept(.conditional)
        unconditional = kept(.unconditional)
        conditionalForecasts = Self.forecasts(.conditional, plan, forecaster, calls)
        unconditionalForecasts = Self.forecasts(.unconditional, plan, forecaster, calls)
        (transform, bands, sum) = (run.transform, run.bands, run.sum)
    }

    private static func forecasts(
        _ branch: GuidanceBranches, _ plan: ReusePlan, _ forecaster: Forecaster, _ calls: [ModelCall]
    ) -> Forecasts {
        plan.evaluated.indices.map { call in
            guard plan.branches.contains(branch), !plan.isFull(branch, at: call) else { return [] }
            return forecaster.terms(for: branch, at: call, of: calls, plan: plan)
        }
    }

    private func kept(_ branch: GuidanceBranches) -> Kept { branch == .conditional ? conditional : unconditional }

    /// Keeps an evaluated output: a x + b y, transformed where bands have weights of their own.
    func keep(
        _ output: ModelOutput, of branch: GuidanceBranches, at call: Int, latents: Tensor, as quantity: StateAndOutput
    ) {
        let kept = kept(branch)
        let slot = kept.slot(of: call)
        StepKernels.combine(latents, quantity, output.prediction, into: slot)
        transform?.forward(slot)
        // In channels that are not guided, forecasters are fitted to the conditional branch alone (``Trajectory``). Where the
        // unconditional one is evaluated by itself, that is an older output.
        if branch == .unconditional { guidance.leaveUnguided(slot, as: conditional.newest(at: call)) }
        if let variance = output.variance { kept.variance?.copy(from: variance) }
    }

    /// Writes the forecast of a reused output: y = (q − a x)/b. A learned variance is held.
    ///
    /// The sum is `terms`, or the forecaster's where they are nil.
    func forecast(
        _ output: ModelOutput, of branch: GuidanceBranches, at call: Int, latents: Tensor,
        from quantity: StateAndOutput, terms: [ForecastTerm]? = nil
    ) {
        let terms = terms ?? (branch == .conditional ? conditionalForecasts : unconditionalForecasts)[call]
        sum.values.update(repeating: 0)
        for term in terms { add(term) }
        transform?.inverse(sum)
        let inverse = StateAndOutput(state: -quantity.state / quantity.output, output: 1 / quantity.output)
        StepKernels.combine(latents, inverse, sum, into: output.prediction)
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

extension BranchOutputs {
    /// The output of a single branch.
    fileprivate subscript(branch: GuidanceBranches) -> ModelOutput {
        branch == .conditional ? conditional : unconditional
    }
}
