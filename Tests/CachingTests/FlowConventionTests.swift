import Sampling
import Testing

@testable import Caching

/// What forecasters and calibrations make of flows on either path whose models look either way.
struct FlowConventionTests {
    private static let flows = Flow.Path.allCases.flatMap { path in
        Flow.Direction.allCases.map { Flow(path: path, direction: $0, timestepScale: 1) }
    }

    @Test(arguments: flows, ForecastQuantity.allCases)
    func `a quantity is the same of state and output as of path and direction`(flow: Flow, quantity: ForecastQuantity) {
        for time in [1, 0.6, 0.02] {
            let level = NoiseLevel.flow(flow, time: time)
            let (x, y) = (0.7, -1.9)
            let direction = PredictionType.flow.direction(at: level)
            let (z, e) = (level.pathScale * x, direction.state * x + direction.output * y)
            let sum = quantity.sum(of: .flow, at: level)
            let pathSum = quantity.pathSum(of: .flow, at: level)
            #expect(sum.output != 0)
            #expect(abs(sum.state * x + sum.output * y - (pathSum.state * z + pathSum.direction * e)) < 1e-14)
        }
    }

    @Test(arguments: flows)
    func `Euler passes an error in x0 on by its step over the weight of the direction`(flow: Flow) throws {
        let (process, options) = (try DiffusionProcess(flow), SamplerOptions(.euler, spacing: .trailing))
        let response = try SamplerResponse(options, process: process, steps: 10)
        let calls = try makeSampler(options, process: process, steps: 10, shape: []).calls
        for call in calls {
            // x0 = p z + q e, so an error in x0 alone is one of 1/q in e, and one in z alone is made up for by −p/q.
            let (p, q) = ForecastQuantity.clean.pathSum(of: .flow, at: call.level)
            let step = call.levelAfter.pathPosition - call.level.pathPosition
            #expect(abs(response.clean[call.index] - step / q) < 1e-5)
            #expect(abs(response.state[call.index] - (1 - step * p / q)) < 1e-5)
        }
    }

    @Test(arguments: flows, SamplerKind.allCases.filter { $0.supports(.flow) })
    func `every sampler of flows passes errors on in proportion`(flow: Flow, kind: SamplerKind) throws {
        let response = try SamplerResponse(
            SamplerOptions(kind, spacing: .trailing), process: DiffusionProcess(flow), steps: 10)
        // Heun's two directions cancel in a step that halves s, here the last but one.
        #expect(response.clean.allSatisfy { $0.isFinite && ($0 != 0 || kind == .heun) })
        #expect(response.state.allSatisfy { $0.isFinite })
    }
}
