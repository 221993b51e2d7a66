import Caching
import Compute
import Sampling
import Testing

/// Several runs together, for every kind of run.
@Suite struct TrajectorySummaryTests {
    private func summary(_ setup: GaussianRun, seeds: [UInt32]) throws -> TrajectorySummary {
        var summary = TrajectorySummary(calls: try setup.start().calls)
        for seed in seeds {
            var setup = setup
            setup.seed = seed
            var run = try setup.start()
            let trajectory = Trajectory(of: run, predictionType: setup.type)
            while let step = try run.next() { trajectory.record(step, of: run) }
            try summary.add(trajectory)
        }
        return summary
    }

    @Test func `several runs have a mean and a spread, one run has a mean`() throws {
        let both = try summary(GaussianRun(), seeds: [1, 2])
        let apart = try [1, 2].map { try #require(summary(GaussianRun(), seeds: [$0]).directions(of: .guided)) }
        let together = try #require(both.directions(of: .guided))
        for call in together.indices {
            for (index, measure) in together[call].named.enumerated() {
                let values = apart.map { $0[call].named[index].value }
                #expect(values.allSatisfy { $0?.standardDeviation == nil })
                guard let a = values[0]?.mean, let b = values[1]?.mean else {
                    #expect(measure.value == nil)
                    continue
                }
                #expect(abs((measure.value?.mean ?? .nan) - (a + b) / 2) <= 1e-12 * abs(a + b))
                let deviation = abs(a - b) / 2.0.squareRoot()
                #expect(abs((measure.value?.standardDeviation ?? .nan) - deviation) <= 1e-9 * (abs(a) + abs(b)))
            }
        }
        #expect(both.gram?.runs == 2)
    }

    @Test(arguments: [
        SamplerOptions(), SamplerOptions(eta: 1), SamplerOptions(.ddpm), SamplerOptions(.dpmSolver),
        SamplerOptions(.euler), SamplerOptions(.heun),
    ])
    func `every sampler has states at the calls that begin a step`(options: SamplerOptions) throws {
        let summary = try summary(GaussianRun(options: options, steps: 9, scale: 2), seeds: [3, 4])
        let states = try summary.states(summary.alignment())
        #expect(states.count == (options.kind == .heun ? 17 : 9))
        for (call, state) in zip(summary.calls, states) {
            let isTrial = options.kind == .heun && call.index % 2 == 1
            #expect((state == nil) == isTrial)
            guard let state else { continue }
            #expect(state.named.compactMap(\.value).allSatisfy { $0.mean.isFinite })
            #expect(state.piece != nil && state.curvature != nil && (state.deviation?.mean ?? -1) >= 0)
        }
        #expect(summary.directions(of: .unconditional)?.count == states.count)
    }

    @Test(arguments: [1, 2, 4])
    func `runs of very few steps have what can be had`(steps: Int) throws {
        let summary = try summary(GaussianRun(steps: steps), seeds: [1, 2])
        let states = try summary.states(summary.alignment())
        #expect(states.count == steps)
        // Five corners, and with them a curve to fit, come with the fourth step.
        #expect(states.allSatisfy { ($0?.curvature != nil) == (steps >= 4) && $0?.piece != nil })
        let guided = try #require(summary.directions(of: .guided))
        #expect(guided.map { $0.turningAngle != nil } == (0..<steps).map { $0 > 0 })
        #expect(guided.map { $0.noiseGain != nil } == (0..<steps).map { $0 > 1 })
        #expect(summary.directions(of: .conditional) == nil)
    }

    @Test func `a run that diverged is refused`() throws {
        let setup = GaussianRun(steps: 3)
        var run = try setup.start(ConstantDenoiser(Array(repeating: .infinity, count: 48)))
        let trajectory = Trajectory(of: run, predictionType: .epsilon)
        while let step = try run.next() { trajectory.record(step, of: run) }
        var summary = TrajectorySummary(calls: run.calls)
        #expect(throws: LinearAlgebraError.self) { try summary.add(trajectory) }
        #expect(summary.projections.isEmpty && summary.gram == nil)
    }
}
