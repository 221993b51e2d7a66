import Caching
import Compute
import Sampling

/// MeanCache (Gao et al., arXiv 2601.19961; https://github.com/UnicomAI/MeanCache), for flows: carries the velocity on along
/// a derivative that is taken from the velocity at the start of the last few steps and the mean velocity over them, which
/// the states themselves give.
///
/// Every gap has its own number of steps to look back over, one (which holds the velocity) to six. The authors' plans are
/// lists for their models. Our reading of how they were made: a gap costs the state's distance from the full run when that
/// gap alone is reused, by the number of steps with which it is least, and the path of full calls is the shortest after the
/// costs have been raised to a power, which suppresses peaks; the power brings the calibration images nearest.
struct MeanCacheStrategy: ReuseStrategy {
    let name = "meancache"

    private static let powers = [2.0, 1, 4]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let type = context.directory.process.predictionType
        guard type == .flow else {
            throw PlanError.doesNotFit(
                "\(name) needs a flow, whose velocity is the state's, and this model predicts \(type.rawValue); choose "
                    + "another strategy")
        }
        guard Set(context.calls.map(\.step)).count == context.calls.count else {
            throw PlanError.doesNotFit(
                "\(name) needs a sampler with one model call a step; choose another one, such as --sampler euler")
        }
        let calls = context.calls.count
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        func run(_ lookBack: [Int]) -> PreparedStrategy {
            let evaluations = lookBack.count { $0 == 0 } * context.branches.count
            return PreparedStrategy(settings: context.settings, evaluations: Double(evaluations)) {
                MeanCacheDenoiser($0, predictionType: type, lookBack: lookBack)
            }
        }
        guard allowed.full < calls else { return run(Array(repeating: 0, count: calls)) }
        let gaps = MeanVelocityGaps(
            try context.recorded().map { $0.states + [$0.latents.elements] },
            positions: context.calls.map(\.level.pathPosition) + [context.calls[calls - 1].levelAfter.pathPosition],
            longest: min(calls, 4 * (calls / allowed.full + 1)))
        return try context.best(of: Self.powers) { run(gaps.lookBack(full: allowed.full, power: $0)) }.strategy
    }
}

/// MeanCache's rule, as weights: v' = v₋₁ − (v₋ₖ − (x − x₋ₖ)/Δ) h/Δ, with Δ = s − s₋ₖ over the last k steps and h the step
/// that is to come.
enum MeanVelocity {
    /// The most steps that a forecast looks back over.
    static let longest = 6

    /// Writes the forecast for the step from `position` to `next`.
    ///
    /// - Parameters:
    ///   - last: v₋₁, of the last step.
    ///   - first: v₋ₖ, of the first of the steps that are looked back over.
    ///   - state: x, the present state.
    ///   - start: x₋ₖ, at the start of that step.
    ///   - positions: s₋ₖ, s and where the step leads.
    ///   - output: where the forecast goes.
    static func write(
        last: UnsafeBufferPointer<Float>, first: UnsafeBufferPointer<Float>, state: UnsafeBufferPointer<Float>,
        start: UnsafeBufferPointer<Float>, positions: (start: Double, now: Double, next: Double),
        to output: UnsafeMutableBufferPointer<Float>
    ) {
        let distance = positions.now - positions.start
        let inverse = Float(1 / distance)
        let share = Float((positions.next - positions.now) / distance)
        for i in 0..<output.count { output[i] = last[i] - share * (first[i] - inverse * (state[i] - start[i])) }
    }
}

/// What the gaps of a run cost when MeanCache's rule fills them, by the states of full runs alone.
struct MeanVelocityGaps {
    private struct Gap {
        let cost: Double
        let lookBack: Int
    }

    private let calls: Int
    private var gaps: [[Gap?]]  // [call][distance]

    /// - Parameters:
    ///   - runs: The states of each run, the final one last.
    ///   - positions: The path coordinate of each state.
    ///   - longest: The longest distance between two full calls.
    init(_ runs: [[[Float]]], positions: [Double], longest: Int) {
        calls = positions.count - 1
        gaps = Array(repeating: Array(repeating: nil, count: longest + 1), count: positions.count - 1)
        for call in 0..<calls {
            for lookBack in 1...MeanVelocity.longest {
                let costs = runs.map { Self.errors($0, positions: positions, from: call, longest, lookBack) }
                for distance in costs[0].indices {
                    let cost = costs.reduce(0) { $0 + $1[distance] }
                    guard cost < gaps[call][distance + 1]?.cost ?? .infinity else { continue }
                    gaps[call][distance + 1] = Gap(cost: cost, lookBack: lookBack)
                }
            }
        }
    }

    /// By call, over how many steps its forecast looks back; 0 where it is full. `full` calls are.
    func lookBack(full: Int, power: Double) -> [Int] {
        let path = CheapestPath.fullCalls(calls: calls, edges: full) { from, to in
            guard to - from < gaps[from].count, let gap = gaps[from][to - from] else { return nil }
            return power == 1 ? gap.cost : (1..<Int(power)).reduce(gap.cost) { product, _ in product * gap.cost }
        }
        let nodes = path ?? Array(0..<full)
        var lookBack = Array(repeating: 1, count: calls)
        for (from, to) in zip(nodes, nodes.dropFirst() + [calls]) {
            for call in from..<to {
                let gap = to - from < gaps[from].count ? gaps[from][to - from] : nil
                lookBack[call] = call == from ? 0 : gap?.lookBack ?? 1
            }
        }
        return lookBack
    }

    /// The L1 distance from the run after 1, 2, … calls from `call` on, of which all but the first are forecast.
    private static func errors(
        _ states: [[Float]], positions: [Double], from call: Int, _ longest: Int, _ lookBack: Int
    ) -> [Double] {
        let steps = states.count - 1
        func velocity(_ from: [Float], _ to: [Float], at n: Int) -> [Float] {
            let inverse = Float(1 / (positions[n + 1] - positions[n]))
            return zip(from, to).map { ($1 - $0) * inverse }
        }
        let begin = max(0, call - MeanVelocity.longest)
        var walked = Array(states[begin...call + 1])  // of the run so far
        var velocities = (begin...call).map { velocity(states[$0], states[$0 + 1], at: $0) }
        var errors = [0.0]
        for n in stride(from: call + 1, to: min(steps, call + longest), by: 1) {
            let k = min(lookBack, velocities.count)
            var forecast = [Float](repeating: 0, count: states[0].count)
            let (last, first) = (velocities[velocities.count - 1], velocities[velocities.count - k])
            let (state, start) = (walked[walked.count - 1], walked[walked.count - 1 - k])
            forecast.withUnsafeMutableBufferPointer { output in
                last.withUnsafeBufferPointer { last in
                    first.withUnsafeBufferPointer { first in
                        state.withUnsafeBufferPointer { state in
                            start.withUnsafeBufferPointer { start in
                                MeanVelocity.write(
                                    last: last, first: first, state: state, start: start,
                                    positions: (positions[n - k], positions[n], positions[n + 1]), to: output)
                            }
                        }
                    }
                }
            }
            let step = Float(positions[n + 1] - positions[n])
            walked.append(zip(state, forecast).map { $0 + step * $1 })
            velocities.append(forecast)
            errors.append(zip(walked[walked.count - 1], states[n + 1]).reduce(0) { $0 + Double(abs($1.0 - $1.1)) })
        }
        return errors
    }
}

/// One image of MeanCache. The states are shared by the branches, so that guidance makes of their forecasts that of the
/// guided velocity.
private final class MeanCacheDenoiser: Denoiser {
    private let base: any Denoiser
    private let predictionType: PredictionType
    private let lookBack: [Int]
    private var memory: Memory?

    private struct Memory {
        let calls: [ModelCall]
        let states: [Tensor]  // of the last steps
        let velocities: [[Tensor]]  // per branch, of the last steps
        let variances: [Tensor?]
        let forecast: Tensor
    }

    /// - Parameters:
    ///   - base: The model.
    ///   - predictionType: What its outputs are.
    ///   - lookBack: By call, over how many steps its forecast looks back; 0 where it is full.
    init(_ base: any Denoiser, predictionType: PredictionType, lookBack: [Int]) {
        self.base = base
        self.predictionType = predictionType
        self.lookBack = lookBack
    }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        let slots = 0..<MeanVelocity.longest
        memory = Memory(
            calls: calls, states: slots.map { _ in Tensor(shape) },
            velocities: (0..<2).map { _ in slots.map { _ in Tensor(shape) } },
            variances: (0..<2).map { _ in hasVariance ? Tensor(shape) : nil }, forecast: Tensor(shape))
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard let memory else { preconditionFailure("begin has not been called") }
        let n = call.index
        let slot = n % MeanVelocity.longest
        let output = Float(predictionType.direction(at: call.level).output)
        if lookBack[n] == 0 {
            try base.evaluate(branches, at: call, latents: latents, into: outputs)
            for (entry, result) in outputs.each(of: branches) {
                let (v, y) = (memory.velocities[entry][slot].values, result.prediction.values)
                for i in 0..<v.count { v[i] = output * y[i] }
                if let variance = result.variance { memory.variances[entry]?.copy(from: variance) }
            }
        } else {
            let k = min(lookBack[n], n)
            let first = (n - k) % MeanVelocity.longest
            for (entry, result) in outputs.each(of: branches) {
                let velocities = memory.velocities[entry]
                MeanVelocity.write(
                    last: buffer(velocities[(n - 1) % MeanVelocity.longest]), first: buffer(velocities[first]),
                    state: buffer(latents), start: buffer(memory.states[first]),
                    positions: (
                        memory.calls[n - k].level.pathPosition, call.level.pathPosition,
                        call.levelAfter.pathPosition
                    ), to: memory.forecast.values)
                velocities[slot].copy(from: memory.forecast)
                let (v, y) = (memory.forecast.values, result.prediction.values)
                for i in 0..<v.count { y[i] = v[i] / output }
                if let variance = memory.variances[entry] { result.variance?.copy(from: variance) }
            }
        }
        memory.states[slot].copy(from: latents)
    }

    private func buffer(_ tensor: Tensor) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(tensor.values) }
}
