import Compute
import Glibc
import TestSupport
import Testing

@testable import Sampling

/// Both paths, in both directions, against closed forms.
struct FlowTests {
    /// Two standard deviations of noise to either side.
    private static let start: [Float] = (-8...8).map { Float($0) / 4 }

    private static let flows = Flow.Path.allCases.flatMap { path in
        Flow.Direction.allCases.map { Flow(path: path, direction: $0, timestepScale: $0 == .toData ? 1 : nil) }
    }

    @Test(arguments: flows, [1.0, 0.7, 0.25, 0.01])
    func `state and output say what x0, noise and direction are`(flow: Flow, time: Double) {
        let (clean, epsilon) = (0.8, -1.3)
        func state(_ time: Double) -> Double {
            let level = NoiseLevel.flow(flow, time: time)
            return level.alpha * clean + level.sigma * epsilon
        }
        let level = NoiseLevel.flow(flow, time: time)
        let mixture = GaussianFlow.Mixture(flow.path, at: 1 - time)
        let velocity = mixture.alphaRate * clean + mixture.sigmaRate * epsilon
        let (x, y) = (state(time), flow.direction == .toData ? velocity : -velocity)
        func value(_ sum: StateAndOutput) -> Double { sum.state * x + sum.output * y }

        #expect(abs(level.alpha - mixture.alpha) < 1e-15)
        #expect(abs(level.sigma - mixture.sigma) < 1e-15)
        #expect(abs(value(PredictionType.flow.clean(at: level)) - clean) < 1e-14)
        #expect(abs(value(PredictionType.flow.epsilon(at: level)) - epsilon) < 1e-14)
        #expect(abs(value(PredictionType.flow.direction(at: level)) + velocity) < 1e-14)
        #expect(abs(value(PredictionType.flow.velocity(at: level)) + velocity) < 1e-14)
        // The direction is the derivative along the path: a central difference, whose error is of the size of its
        // square and of the rounding over it.
        let h = 1e-5
        let difference = (state(time + h) - state(time - h)) / (2 * h)
        #expect(abs(difference + velocity) < 1e-9)
    }

    @Test(arguments: flows, [1.0, 0.7, 0.25, 0.06, 0.01])
    func `a network of x0 gives the velocity, with no less noise than the floor to divide by`(
        flow: Flow, time: Double
    ) throws {
        let (clean, epsilon, floor) = (0.8, -1.3, 0.05)
        let level = NoiseLevel.flow(flow, time: time)
        let mixture = GaussianFlow.Mixture(flow.path, at: 1 - time)
        let velocity = mixture.alphaRate * clean + mixture.sigmaRate * epsilon
        let expected = (flow.direction == .toData ? velocity : -velocity) * min(1, level.sigma / floor)
        let process = try DiffusionProcess(
            Flow(path: flow.path, direction: flow.direction, output: .sample(floor: floor)))
        let latents = Tensor([Float(level.alpha * clean + level.sigma * epsilon)], shape: [1])
        let output = Tensor([Float(clean)], shape: [1])
        process.convert(output, of: latents, at: level)
        // x and x0 are rounded to 2^-24 of their size, and their difference is divided by σ or the floor.
        #expect(abs(Double(output.elements[0]) - expected) < 4e-7 / max(level.sigma, floor))
    }

    @Test(arguments: flows) func `a network of the velocity is taken at its word, bit for bit`(flow: Flow) throws {
        let output = Tensor([0.1, -0.7], shape: [2])
        try DiffusionProcess(flow).convert(
            output, of: Tensor([3, 4], shape: [2]), at: .flow(flow, time: 0.3))
        #expect(output.elements == [0.1, -0.7])
    }

    @Test func `all noise has no signal and all data has no noise, exactly`() {
        for path in Flow.Path.allCases {
            let (noise, data) = (NoiseLevel.flow(Flow(path: path), time: 1), NoiseLevel.flow(Flow(path: path), time: 0))
            #expect(noise.alpha == 0 && noise.sigma == 1)
            #expect(data.alpha == 1 && data.sigma == 0)
        }
    }

    @Test(arguments: SamplerKind.allCases.filter { $0.supports(.flow) })
    func `a model that looks towards the data is told the time there`(kind: SamplerKind) throws {
        for path in Flow.Path.allCases {
            let calls = try makeSampler(
                SamplerOptions(kind, spacing: .trailing), process: GaussianFlow.published(path).process(), steps: 8,
                shape: [1]
            ).calls
            #expect(calls.count == (kind == .heun ? 16 : 8))
            #expect(calls.first?.timestep == 0)
            #expect(calls.allSatisfy { abs($0.timestep - (1 - $0.level.pathPosition)) < 1e-15 })
            #expect(calls.allSatisfy { $0.level.sigma > 0 }, "no call where the output says nothing of x0")
            #expect(calls.last?.levelAfter.sigma == 0)
            for (call, next) in zip(calls, calls.dropFirst()) {
                #expect(call.levelAfter == next.level)
                #expect(call.timestep <= next.timestep)
            }
        }
    }

    /// The largest distance from the exact end point x/2. It grows with the noise, as everything here is linear.
    private static func error(_ model: GaussianFlow, _ options: SamplerOptions, steps: Int) throws -> Double {
        let found = try model.sample(options, steps: steps, from: start)
        return zip(found, start).map { abs(Double($0) - GaussianFlow.deviation * Double($1)) }.max() ?? .infinity
    }

    @Test(arguments: Flow.Path.allCases)
    func `a hundred steps of Heun end within 1e-4 of the exact flow`(path: Flow.Path) throws {
        let error = try Self.error(.published(path), SamplerOptions(.heun, spacing: .trailing), steps: 100)
        #expect(figure("Heun at 100 steps, \(path) path, from noise of up to 2", error, below: 1e-4))
    }

    /// log2 of the factor by which the error falls from `steps` to twice as many.
    private static func order(_ kind: SamplerKind, _ path: Flow.Path, steps: Int) throws -> Double {
        let options = SamplerOptions(kind, spacing: .trailing)
        let errors = try [steps, 2 * steps].map { try error(.published(path), options, steps: $0) }
        return log2(errors[0] / errors[1])
    }

    // States are rounded to 2^-24 of their size: a few 1e-7 after 80 steps, where Heun's error is 1e-4.
    @Test(arguments: Flow.Path.allCases, [(SamplerKind.euler, 1.0), (.heun, 2)])
    func `over a whole flow a sampler has its order`(path: Flow.Path, _ sampler: (kind: SamplerKind, order: Double))
        throws
    {
        for steps in [20, 40] {
            let order = try Self.order(sampler.kind, path, steps: steps)
            let name = "order of \(sampler.kind.rawValue) at \(steps) steps, \(path) path: \(order), off by"
            #expect(figure(name, abs(order - sampler.order), below: 0.1))
        }
    }

    /// In its variable ln(α/σ) the first and the last steps of a whole flow are long however many there are, so the order
    /// of 2 (``ConvergenceTests``) is approached slowly: in Double it is seen as 1.6 (linear) and 1.2 (trigonometric)
    /// at 40 steps, 1.8 and 1.7 at 320.
    @Test(arguments: Flow.Path.allCases)
    func `over a whole flow DPM-Solver++(2M) nears its order`(path: Flow.Path) throws {
        let (early, late) = try (Self.order(.dpmSolver, path, steps: 40), Self.order(.dpmSolver, path, steps: 320))
        #expect(late > early)
        #expect(figure("order of dpm++2m at 320 steps, \(path) path: \(late), off by", abs(late - 2), below: 0.35))
    }

    @Test(arguments: Flow.Path.allCases, [SamplerKind.euler, .dpmSolver, .sde])
    func `models of one flow that look either way give the same samples`(path: Flow.Path, kind: SamplerKind) throws {
        let options = SamplerOptions(kind, spacing: .trailing)
        let toNoise = try GaussianFlow(Flow(path: path)).sample(options, steps: 30, from: Self.start)
        let toData = try GaussianFlow.published(path).sample(options, steps: 30, from: Self.start)
        // The times differ in their last bit, the outputs sometimes in theirs.
        #expect(largestRelativeDifference(toNoise, against: toData) < 1e-6)
    }

    @Test func `a shifted flow spends its steps towards noise, whichever way its model looks`() throws {
        for direction in Flow.Direction.allCases {
            let model = GaussianFlow(Flow(shift: 3, direction: direction))
            let options = SamplerOptions(.euler, spacing: .trailing)
            let calls = try makeSampler(options, process: model.process(), steps: 4, shape: [1]).calls
            #expect(zip(calls.map(\.level.sigma), [1, 0.9, 0.75, 0.5]).allSatisfy { abs($0 - $1) < 1e-15 })
            let errors = try [100, 400].map { try Self.error(model, options, steps: $0) }
            #expect(errors[1] < errors[0] / 3 && errors[1] < 0.02)
        }
    }

    @Test func `options default to the published sampler of each process`() throws {
        #expect(try SamplerOptions(defaultFor: linearProcess()) == SamplerOptions(.ddim))
        #expect(try SamplerOptions(defaultFor: DiffusionProcess(Flow(shift: 3))) == SamplerOptions(.euler))
        #expect(
            try SamplerOptions(defaultFor: GaussianFlow.published(.linear).process())
                == SamplerOptions(.euler, spacing: .trailing))
    }
}
