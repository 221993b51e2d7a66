import Caching
import Compute
import Models
import Pipeline
import Sampling

/// FasterCache (Lv et al., arXiv 2410.19355): at some calls, attention is not computed but extrapolated from its last two
/// outputs, and at most calls the unconditional branch is not evaluated but taken to differ from the conditional one as it
/// last did, with low frequencies weighted up early in the run and high ones late.
///
/// Published with attention at every second call and the unconditional branch at every fifth, after a third of the run in
/// full, which has one cost. Here both are spaced evenly over the whole run, as many as the budget allows. How the budget is
/// shared between the two, and the weight, 1.1 or 1, bring the calibration images nearest to their full runs. Kinds of
/// layers whose name does not speak of attention are always computed, so there is a budget below which it cannot go.
struct FasterCacheStrategy: ReuseStrategy {
    let name = "fastercache"

    private static let periods = [5, 4, 3, 2, 1, 8, 12, 20]
    private static let weights: [Float] = [1.1, 1]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let calls = context.calls.count
        let costs = FasterCacheCosts(context)
        let evaluations = budget.evaluations(of: context.fullEvaluations)
        guard evaluations < context.fullEvaluations else {
            return run(FasterCacheCalls(attention: calls, unconditional: calls), weight: 1, in: context)
        }
        let isGuided = context.branches.contains(.unconditional)
        let choices = (isGuided ? Self.periods : [1]).compactMap { period in
            costs.most(unconditional: max(1, calls / period), within: evaluations)
        }
        guard !choices.isEmpty else {
            let least = costs.work(FasterCacheCalls(attention: 1, unconditional: isGuided ? 1 : calls))
            throw context.tooSmall(for: name, least: least)
        }
        let best = try context.best(of: choices) { run($0, weight: Self.weights[0], in: context) }.setting
        guard isGuided else { return run(best, weight: 1, in: context) }
        return try context.best(of: Self.weights) { run(best, weight: $0, in: context) }.strategy
    }

    private func run(
        _ chosen: FasterCacheCalls, weight: Float, in context: StrategyContext
    ) -> PreparedStrategy {
        let (calls, price, network) = (context.calls.count, context.price, context.network)
        let attention = SpacedCalls.full(calls: calls, full: chosen.attention, warmUp: 2)
        let unconditional = SpacedCalls.full(calls: calls, full: chosen.unconditional)
        let schedule = Dictionary(uniqueKeysWithValues: FasterCacheCosts.attention(network).map { ($0, attention) })
        return PreparedStrategy(settings: context.settings) { base in
            let cache = LayerForecastCache(schedule, network: network) {
                ExtrapolatedFeature(calls: calls, shape: $0.shape)
            }
            let meter = WorkMeter(cache, price: price, network: network)
            base.interceptor = meter
            let denoiser = BranchOffsetDenoiser(base, unconditional: unconditional, weight: weight)
            return (denoiser, { price.evaluations(meter.work) })
        }
    }
}

/// At how many calls FasterCache computes what it can leave out.
struct FasterCacheCalls: Equatable {
    /// The calls at which attention is computed.
    let attention: Int
    /// The calls at which the unconditional branch is evaluated.
    let unconditional: Int
}

/// What FasterCache's calls cost.
struct FasterCacheCosts {
    private let calls: Int
    private let price: EvaluationPrice
    private let attention: Int
    private let others: Int

    init(_ context: StrategyContext) {
        (calls, price) = (context.calls.count, context.price)
        let network = context.network
        let kinds = Self.attention(network)
        attention = kinds.reduce(0) { $0 + context.price.layers(of: $1) }
        others = network.layerKinds.reduce(0) { kinds.contains($1) ? $0 : $0 + context.price.layers(of: $1) }
    }

    /// The kinds of layers that are attention.
    static func attention(_ network: any DenoisingNetwork) -> [LayerKind] {
        network.layerKinds.filter { $0.rawValue.lowercased().contains("attention") }
    }

    /// The multiply-adds of a run. Both kinds of calls are spaced evenly, and a call of the unconditional branch computes
    /// attention where the conditional one does.
    func work(_ chosen: FasterCacheCalls) -> Int {
        let attends = SpacedCalls.full(calls: calls, full: chosen.attention, warmUp: 2)
        let unconditional = SpacedCalls.full(calls: calls, full: chosen.unconditional)
        return (0..<calls).reduce(0) { sum, call in
            let branches = price.branches > 1 && !unconditional[call] ? 1 : price.branches
            return sum + price.shared + branches * (price.perBranch + others + (attends[call] ? attention : 0))
        }
    }

    /// The most calls with attention within a budget, beside a number of unconditional calls; nil when not even one is.
    func most(unconditional: Int, within evaluations: Int) -> FasterCacheCalls? {
        stride(from: calls, through: 1, by: -1).lazy
            .map { FasterCacheCalls(attention: $0, unconditional: unconditional) }
            .first { price.allows(work($0), within: evaluations) }
    }
}

/// The output of one attention layer in one branch: O + w (O − O'), O and O' its last two, with w rising from 0 to 1 over
/// the run.
final class ExtrapolatedFeature: FeatureForecast {
    private let calls: Int
    private let newest: Tensor
    private let before: Tensor
    private var known = 0

    init(calls: Int, shape: [Int]) {
        self.calls = calls
        (newest, before) = (Tensor(shape), Tensor(shape))
    }

    func keep(_ value: UnsafeBufferPointer<Float>, at call: Int) {
        before.copy(from: newest)
        _ = newest.values.update(fromContentsOf: value)
        known += 1
    }

    func write(at call: Int, to output: UnsafeMutableBufferPointer<Float>) {
        let weight = known > 1 ? Float(call) / Float(max(1, calls - 1)) : 0
        let (a, b) = (newest.values, before.values)
        for i in 0..<output.count { output[i] = a[i] + weight * (a[i] - b[i]) }
    }
}

/// Evaluates the unconditional branch at some calls only. At the others it is the conditional one plus the last difference
/// between the two, of which low or high frequencies are weighted. A learned variance is held.
///
/// Our reading: frequencies are those of the orthonormal cosine transform; low ones are within a fifth of the shorter side
/// from the middle of a Fourier transform, which is twice as far in half cycles. They are weighted at timesteps from 641 to
/// 99 of 1000, high ones below 301, as in the authors' code, as shares of the run.
final class BranchOffsetDenoiser: Denoiser {
    private let base: any Denoiser
    private let unconditional: [Bool]
    private let weight: Float
    private var memory: Memory?

    private struct Memory {
        let transform: CosineTransform
        let isLow: [Bool]  // by coefficient of a plane
        let offset: Tensor  // transformed
        let scratch: Tensor
        let variance: Tensor?
    }

    /// - Parameters:
    ///   - base: The model.
    ///   - unconditional: By call, whether the unconditional branch is evaluated; it is at the first.
    ///   - weight: The weight of those frequencies that are weighted.
    init(_ base: any Denoiser, unconditional: [Bool], weight: Float) {
        self.base = base
        self.unconditional = unconditional
        self.weight = weight
    }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        let radius = 2 * (min(height, width) / 5)
        memory = Memory(
            transform: CosineTransform(shape: shape),
            isLow: (0..<height * width).map { position in
                let (i, j) = (position / width, position % width)
                return i * i + j * j <= radius * radius
            }, offset: Tensor(shape), scratch: Tensor(shape), variance: hasVariance ? Tensor(shape) : nil)
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard let memory else { preconditionFailure("begin has not been called") }
        guard branches.contains(.unconditional) else {
            return try base.evaluate(branches, at: call, latents: latents, into: outputs)
        }
        let (c, u) = (outputs.conditional.prediction.values, outputs.unconditional.prediction.values)
        if unconditional[call.index] {
            try base.evaluate(branches, at: call, latents: latents, into: outputs)
            let offset = memory.offset.values
            for i in 0..<offset.count { offset[i] = u[i] - c[i] }
            memory.transform.forward(memory.offset)
            if let variance = outputs.unconditional.variance { memory.variance?.copy(from: variance) }
        } else {
            try base.evaluate(.conditional, at: call, latents: latents, into: outputs)
            let time = 1 - Double(call.index) / Double(unconditional.count)
            let low: Float = time > 0.099 && time < 0.641 ? weight : 1
            let high: Float = time < 0.301 ? weight : 1
            let (offset, scratch) = (memory.offset.values, memory.scratch.values)
            let plane = memory.isLow.count
            for i in 0..<scratch.count { scratch[i] = (memory.isLow[i % plane] ? low : high) * offset[i] }
            memory.transform.inverse(memory.scratch)
            for i in 0..<u.count { u[i] = c[i] + scratch[i] }
            if let variance = memory.variance { outputs.unconditional.variance?.copy(from: variance) }
        }
    }
}
