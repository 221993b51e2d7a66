import Caching
import Compute
import Sampling
import TestSupport
import Testing

/// What the recorder keeps of a run, against the closed forms of Gaussian data.
@Suite struct TrajectoryTests {
    private func recorded(_ setup: GaussianRun) throws -> Trajectory {
        var run = try setup.start()
        let trajectory = Trajectory(of: run, predictionType: setup.type)
        while let step = try run.next() { trajectory.record(step, of: run) }
        return trajectory
    }

    @Test(arguments: [PredictionType.epsilon, .vPrediction, .sample, .flow])
    func `directions are dz/ds of each branch, whatever the model predicts`(type: PredictionType) throws {
        let setup = GaussianRun(
            type: type, options: SamplerOptions(type == .flow ? .euler : .ddim), steps: 8, scale: 2)
        let (trajectory, denoiser) = (try recorded(setup), setup.denoiser())
        for branch in [GuidanceBranches.conditional, .unconditional] {
            let directions = trajectory.directions(of: branch)
            #expect(directions.count == 8)
            for (n, call) in trajectory.calls.enumerated() {
                let expected = trajectory.states[n].elements.enumerated().map {
                    denoiser.direction(Double($1), denoiser.variance(of: $0, branch), call.level)
                }
                // ε from x0 divides by the noise level, 0.01 at the last call, and so do its rounding errors.
                let bound = 5e-6 / call.level.sigma
                #expect(largestRelativeDifference(directions[n].elements, against: expected) < bound)
            }
        }
    }

    @Test(arguments: [SamplerKind.ddim, .euler], [nil, 1])
    func `a first-order run is the sum of its guided directions`(kind: SamplerKind, guidedChannels: Int?) throws {
        let trajectory = try recorded(
            GaussianRun(options: SamplerOptions(kind), scale: 2, guidedChannels: guidedChannels))
        let (c, u) = (trajectory.directions(of: .conditional), trajectory.directions(of: .unconditional))
        for (n, call) in trajectory.calls.enumerated() {
            let ds = call.levelAfter.pathPosition - call.level.pathPosition
            let (z, conditional, unconditional) = (trajectory.states[n].elements, c[n].elements, u[n].elements)
            let expected = z.indices.map {
                Double(z[$0]) + ds * (2 * Double(conditional[$0]) - Double(unconditional[$0]))
            }
            #expect(largestRelativeDifference(trajectory.states[n + 1].elements, against: expected) < 1e-6)
        }
    }

    @Test func `the states go from the scaled noise to the sample`() throws {
        let setup = GaussianRun(steps: 5)
        var run = try setup.start()
        let noise = run.latents.elements
        let trajectory = Trajectory(of: run, predictionType: setup.type)
        while let step = try run.next() { trajectory.record(step, of: run) }
        let scale = run.calls[0].level.pathScale
        #expect(trajectory.states.count == 6 && trajectory.isComplete)
        #expect(
            largestRelativeDifference(trajectory.states[0].elements, against: noise.map { Double($0) * scale }) < 1e-7)
        #expect(trajectory.states[5].elements == run.latents.elements)
    }

    @Test func `recording changes no bit of the run`() throws {
        let setup = GaussianRun(options: SamplerOptions(.ddpm), scale: 3)
        var (plain, observed) = (try setup.start(), try setup.start())
        while try plain.next() != nil {}
        let trajectory = Trajectory(of: observed, predictionType: setup.type)
        while let step = try observed.next() { trajectory.record(step, of: observed) }
        #expect(plain.latents.elements == observed.latents.elements)
    }

    @Test func `an unguided run has one branch`() throws {
        let trajectory = try recorded(GaussianRun(steps: 3))
        #expect(trajectory.branches == .conditional && trajectory.directions(of: .conditional).count == 3)
        #expect(trajectory.directions(of: .unconditional).isEmpty)
    }

    @Test func `the corners of Heun's path leave out its trial states`() throws {
        let trajectory = try recorded(GaussianRun(options: SamplerOptions(.heun), steps: 4))
        #expect(trajectory.calls.count == 7 && trajectory.states.count == 8)
        let expected = [0, 2, 4, 6, 7].map { trajectory.states[$0].elements }
        #expect(trajectory.corners.map(\.elements) == expected)
    }
}
