import Glibc
import TestSupport
import Testing

@testable import Sampling

/// Laws that hold between samplers, and against closed-form solutions.
struct SamplerLawTests {
    private static let start: [Float] = (0..<16).map { Float(sin(Double($0) * 1.3)) * 2 }
    private static let noise: [Float] = (0..<16 * 50).map { Float(sin(Double($0 * $0) * 0.7)) }

    /// A model that is nonlinear but gentle.
    private static func model(_ x: Double, _ call: ModelCall) -> Double {
        0.8 * x * call.level.sigma + 0.1 * cos(2 * x + call.timestep / 300)
    }

    private static func sample(_ options: SamplerOptions, _ process: DiffusionProcess, steps: Int) throws -> [Float] {
        let sampler = try makeSampler(options, process: process, steps: steps, shape: [start.count])
        return drive(sampler, from: start, noise: noise, model: model)
    }

    @Test(arguments: [PredictionType.epsilon, .vPrediction, .sample], TimestepSpacing.allCases)
    func `Euler on a variance-preserving model is DDIM at eta 0`(
        type: PredictionType, spacing: TimestepSpacing
    ) throws {
        let process = try linearProcess(type)
        let options = SamplerOptions(.euler, spacing: spacing)
        let euler = try Self.sample(options, process, steps: 25)
        let ddim = try Self.sample(options.onSamePath(for: process), process, steps: 25)
        #expect(options.onSamePath(for: process).kind == .ddim)
        #expect(largestRelativeDifference(euler, against: ddim) < 1e-5)
    }

    @Test(arguments: [PredictionType.epsilon, .vPrediction, .sample])
    func `DDIM at eta 1 is ancestral sampling with the posterior variance`(type: PredictionType) throws {
        let process = try linearProcess(type)
        let ddim = try Self.sample(SamplerOptions(.ddim, eta: 1), process, steps: 25)
        let ddpm = try Self.sample(SamplerOptions(.ddpm, variance: .fixedSmall), process, steps: 25)
        let larger = try Self.sample(SamplerOptions(.ddpm, variance: .fixedLarge), process, steps: 25)
        #expect(largestRelativeDifference(ddim, against: ddpm) < 1e-5)
        #expect(largestRelativeDifference(larger, against: ddpm) > 1e-2)
    }

    @Test func `a learned range of -1 is the posterior variance and one of 1 is the beta`() throws {
        let process = try linearProcess()
        let learned = try makeSampler(
            SamplerOptions(.ddpm, variance: .learnedRange), process: process, steps: 20, shape: [16])
        for (share, fixed) in [(-1.0, SamplerOptions.Variance.fixedSmall), (1, .fixedLarge)] {
            let found = drive(
                learned, from: Self.start, noise: Self.noise, model: Self.model, variance: { _, _ in share })
            let expected = try Self.sample(SamplerOptions(.ddpm, variance: fixed), process, steps: 20)
            #expect(largestRelativeDifference(found, against: expected) < 1e-5)
        }
    }

    @Test(arguments: SamplerKind.allCases, [PredictionType.epsilon, .flow])
    func `calls are known up front, and each level leads to the next`(
        kind: SamplerKind, type: PredictionType
    ) throws {
        guard kind.supports(type) else { return }
        let process = try type == .flow ? DiffusionProcess(Flow(shift: 1)) : linearProcess(type)
        let calls = try makeSampler(SamplerOptions(kind), process: process, steps: 8, shape: [1]).calls
        #expect(calls.count == (kind == .heun ? 15 : 8))
        #expect(calls.map(\.index) == Array(0..<calls.count))
        #expect(calls.first?.step == 0)
        #expect(calls.last?.step == 7)
        #expect(calls.last?.levelAfter.sigma == 0)
        for (call, following) in zip(calls, calls.dropFirst()) {
            #expect(call.levelAfter == following.level)
            #expect(call.timestep >= following.timestep)
            #expect(call.level.pathPosition >= following.level.pathPosition)
        }
    }

    @Test(arguments: [SamplerKind.ddim, .euler], [PredictionType.epsilon, .vPrediction, .sample])
    func `on the path a step adds the noise prediction times the change of position`(
        kind: SamplerKind, type: PredictionType
    ) throws {
        let sampler = try makeSampler(
            SamplerOptions(kind), process: linearProcess(type), steps: 12, shape: [Self.start.count])
        var path: [(x: [Double], y: [Double])] = [([], [])]
        let end = drive(sampler, from: Self.start) { x, call in
            if path.count <= call.index { path.append(([], [])) }
            let y = Self.model(x, call)
            path[call.index].x.append(x)
            path[call.index].y.append(y)
            return y
        }
        for call in sampler.calls {
            let (here, there) = (call.level, call.levelAfter)
            let epsilon = type.epsilon(at: here)
            let following = call.index + 1 < path.count ? path[call.index + 1].x : end.map(Double.init)
            let expected = zip(path[call.index].x, path[call.index].y).map { x, y in
                here.pathScale * x
                    + (there.pathPosition - here.pathPosition) * (epsilon.state * x + epsilon.output * y)
            }
            #expect(largestRelativeDifference(following.map { there.pathScale * $0 }, against: expected) < 1e-5)
        }
    }

    @Test(arguments: SamplerKind.allCases.filter { $0.supports(.sample) })
    func `a model that knows the answer is believed in one step`(kind: SamplerKind) throws {
        let answer = 0.75
        let options = SamplerOptions(kind)
        let sampler = try makeSampler(options, process: linearProcess(.sample), steps: 1, shape: [16])
        #expect(sampler.calls.count == 1)
        #expect(sampler.calls.first?.timestep == 999)
        let found = drive(sampler, from: Self.start, model: { _, _ in answer })
        // x reaches the sum with the weight α'/α ≈ 160 from the state and from ε; the two cancel.
        #expect(found.allSatisfy { abs($0 - Float(answer)) < 1e-4 })
    }

    @Test func `clipping bounds the estimate that a step is built on`() throws {
        for kind in [SamplerKind.ddim, .ddpm, .dpmSolver] {
            let sampler = try makeSampler(
                SamplerOptions(kind, clip: 0.5), process: linearProcess(.sample), steps: 10, shape: [16])
            let found = drive(sampler, from: Self.start, noise: Self.noise, model: { _, _ in 7 })
            let expected = drive(sampler, from: Self.start, noise: Self.noise, model: { _, _ in 0.5 })
            switch kind {
            // DDIM keeps the ε that the model implied, so only its last step, which ends without noise, is bounded.
            case .ddim: #expect(found.allSatisfy { abs($0 - 0.5) < 1e-6 })
            default: #expect(found == expected)
            }
        }
    }
}

/// Convergence on data from a normal distribution, whose probability-flow ODE has a closed-form solution.
struct ConvergenceTests {
    private static let mean = 0.4
    /// Wide, so that the error of Heun's Euler step at the end does not cancel that of the others.
    private static let deviation = 1.5

    /// The deviation of x at `level`.
    private static func spread(_ level: NoiseLevel) -> Double {
        (pow(level.alpha * deviation, 2) + pow(level.sigma, 2)).squareRoot()
    }

    /// The exact ε prediction, E[ε | x].
    private static func epsilon(_ x: Double, _ level: NoiseLevel) -> Double {
        level.sigma * (x - level.alpha * mean) / pow(spread(level), 2)
    }

    /// The exact velocity, E[ε − x0 | x].
    private static func velocity(_ x: Double, _ call: ModelCall) -> Double {
        let level = call.level
        let distance = (x - level.alpha * mean) / pow(spread(level), 2)
        return level.sigma * distance - (mean + level.alpha * deviation * deviation * distance)
    }

    private static func exact(_ x: Double, from level: NoiseLevel, to end: NoiseLevel) -> Double {
        end.alpha * mean + spread(end) / spread(level) * (x - level.alpha * mean)
    }

    /// Levels evenly spaced in ln(α/σ) from −2 to 2: between two noisy ends no step is special.
    private static func grid(steps: Int, flow: Bool) -> SamplingGrid {
        let levels = (0...steps).map { step in
            let ratio = exp(-2 + 4 * Double(step) / Double(steps))
            return flow
                ? NoiseLevel.flow(Flow(), time: 1 / (1 + ratio))
                : .variancePreserving(alphaBar: ratio * ratio / (1 + ratio * ratio))
        }
        return SamplingGrid(
            points: levels.dropLast().map { SamplingGrid.Point(timestep: 0, level: $0) }, end: levels[steps])
    }

    /// log2 of the factor by which the error falls when the steps double.
    private static func order(_ kind: SamplerKind, flow: Bool) throws -> Double {
        let start: Float = 1.7
        let errors = try [20, 40].map { steps in
            let grid = grid(steps: steps, flow: flow)
            let sampler = makeSampler(
                SamplerOptions(kind, lowerOrderFinal: false), predictionType: flow ? .flow : .epsilon, grid: grid,
                shape: [1])
            let found = drive(sampler, from: [start]) { x, call in
                flow ? velocity(x, call) : epsilon(x, call.level)
            }
            let first = try #require(grid.points.first)
            return abs(Double(found[0]) - exact(Double(start), from: first.level, to: grid.end))
        }
        return log2(errors[0] / errors[1])
    }

    @Test(arguments: [(SamplerKind.ddim, 1.0), (.euler, 1), (.heun, 2), (.dpmSolver, 2)])
    func `on a variance-preserving model a sampler has its order`(kind: SamplerKind, order: Double) throws {
        let found = try Self.order(kind, flow: false)
        #expect(abs(found - order) < 0.2, "observed order \(found)")
    }

    @Test(arguments: [(SamplerKind.euler, 1.0), (.heun, 2), (.dpmSolver, 2)])
    func `on a flow a sampler has its order`(kind: SamplerKind, order: Double) throws {
        let found = try Self.order(kind, flow: true)
        #expect(abs(found - order) < 0.2, "observed order \(found)")
    }
}
