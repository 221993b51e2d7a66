import Caching
import Compute
import Pipeline
import Sampling

/// EasyCache (Zhou et al., arXiv 2507.02860): reuses the output minus the input until the change that the input's suggests
/// has added up to a threshold; the first ten of 50 calls and the last one are full.
///
/// The threshold is solved from the budget; published as 0.05.
struct EasyCacheStrategy: ReuseStrategy {
    let name = "easycache"
    /// What the output is taken as; published for flows, whose output is the velocity.
    var quantity = ForecastQuantity.velocity

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 2, name: name)
        let calls = context.calls.count
        let warmUp = OnlineSchedule.warmUp(calls / 5, full: allowed.full)
        let (type, quantity) = (context.directory.process.predictionType, quantity)
        func run(_ threshold: Double, full: Int?) -> PreparedStrategy {
            PreparedStrategy(settings: context.settings) { base in
                let denoiser = EasyCacheDenoiser(
                    base, predictionType: type, quantity: quantity, threshold: threshold,
                    schedule: OnlineSchedule(calls: calls, full: full, warmUp: warmUp, keepsLast: true))
                return (denoiser, { Double(denoiser.evaluations) })
            }
        }
        let threshold = try context.threshold(from: 0.05, within: allowed) { run($0, full: nil) }
        return run(threshold, full: allowed.full)
    }
}

/// One image of EasyCache: decides by the conditional branch, for all branches.
private final class EasyCacheDenoiser: Denoiser {
    /// The evaluations so far.
    private(set) var evaluations = 0

    private let base: any Denoiser
    private let predictionType: PredictionType
    private let quantity: ForecastQuantity
    private let threshold: Double
    private var schedule: OnlineSchedule
    private var memory: Memory?
    private var accumulated = 0.0
    private var fullCalls = 0
    /// The output's change per change of the input, between the last two full calls.
    private var rate: Double?

    private struct Memory {
        let residuals: [Tensor]  // per branch, output minus input at the last full call
        let variances: [Tensor?]
        let output: Tensor  // of the conditional branch at the last full call
        let fresh: Tensor
        let fullInput: Tensor  // the state at the last full call
        let lastInput: Tensor  // the state at the call before

        init(shape: [Int], hasVariance: Bool) {
            residuals = (0..<2).map { _ in Tensor(shape) }
            variances = (0..<2).map { _ in hasVariance ? Tensor(shape) : nil }
            (output, fresh, fullInput, lastInput) = (Tensor(shape), Tensor(shape), Tensor(shape), Tensor(shape))
        }
    }

    init(
        _ base: any Denoiser, predictionType: PredictionType, quantity: ForecastQuantity, threshold: Double,
        schedule: OnlineSchedule
    ) {
        self.base = base
        self.predictionType = predictionType
        self.quantity = quantity
        self.threshold = threshold
        self.schedule = schedule
    }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        memory = Memory(shape: shape, hasVariance: hasVariance)
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard let memory else { preconditionFailure("begin has not been called") }
        let sum = quantity.sum(of: predictionType, at: call.level)
        if isFull(call, latents: latents, memory: memory) {
            try base.evaluate(branches, at: call, latents: latents, into: outputs)
            evaluations += branches.count
            keep(outputs, of: branches, latents: latents, as: sum, memory: memory)
        } else {
            fill(outputs, of: branches, latents: latents, from: sum, memory: memory)
        }
        memory.lastInput.copy(from: latents)
    }

    private func isFull(_ call: ModelCall, latents: Tensor, memory: Memory) -> Bool {
        if let rate {
            let input = AbsoluteSums(buffer(latents), buffer(memory.lastInput)).difference
            let output = AbsoluteSums(buffer(memory.output), buffer(memory.output)).reference
            accumulated += output > 0 ? rate * input / output : 0
        }
        let isFull = schedule.decides(at: call.index, wanted: rate == nil || accumulated >= threshold)
        if isFull { accumulated = 0 }
        return isFull
    }

    private func keep(
        _ outputs: BranchOutputs, of branches: GuidanceBranches, latents: Tensor, as quantity: StateAndOutput,
        memory: Memory
    ) {
        let (a, b) = (Float(quantity.state), Float(quantity.output))
        for (entry, output) in outputs.each(of: branches) {
            let (x, y, r) = (latents.values, output.prediction.values, memory.residuals[entry].values)
            for i in 0..<r.count { r[i] = a * x[i] + b * y[i] - x[i] }
            if let variance = output.variance { memory.variances[entry]?.copy(from: variance) }
        }
        StepKernels.combine(latents, quantity, outputs.conditional.prediction, into: memory.fresh)
        if fullCalls > 0 {
            let input = AbsoluteSums(buffer(latents), buffer(memory.fullInput)).difference
            let output = AbsoluteSums(buffer(memory.fresh), buffer(memory.output)).difference
            rate = input > 0 ? output / input : nil
        }
        memory.output.copy(from: memory.fresh)
        memory.fullInput.copy(from: latents)
        fullCalls += 1
    }

    private func fill(
        _ outputs: BranchOutputs, of branches: GuidanceBranches, latents: Tensor, from quantity: StateAndOutput,
        memory: Memory
    ) {
        // a x + b y = x + r
        let inverse = StateAndOutput(state: (1 - quantity.state) / quantity.output, output: 1 / quantity.output)
        for (entry, output) in outputs.each(of: branches) {
            StepKernels.combine(latents, inverse, memory.residuals[entry], into: output.prediction)
            if let variance = memory.variances[entry] { output.variance?.copy(from: variance) }
        }
    }

    private func buffer(_ tensor: Tensor) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(tensor.values) }
}
