import Compute
import Sampling
import Testing

@testable import Caching

/// Adds to the unconditional outputs of the second channel, which guidance does not read.
private final class ShiftedDenoiser: Denoiser {
    private let base: GaussianDenoiser
    private let shift: Float

    init(_ base: GaussianDenoiser, by shift: Float) { (self.base, self.shift) = (base, shift) }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        try base.evaluate(branches, at: call, latents: latents, into: outputs)
        guard branches.contains(.unconditional) else { return }
        let values = outputs.unconditional.prediction.values
        for i in latents.count / 2..<latents.count { values[i] += shift }
    }
}

/// Guidance of the first of two channels, where forecasters that join the branches must not guide the second.
@Suite struct UnguidedChannelsTests {
    private static let setup = GaussianRun(scale: 3, guidedChannels: 1)
    /// With calls that evaluate both branches, either, and none.
    private static let mask = "FFRFRFRRFRRF/FRRFRRFRFRRF"

    private static func forecasters(_ plan: ReusePlan) throws -> [Forecaster] {
        let calibration = try GaussianCalibration(setup, seeds: 100..<104)
        return [
            .hold(quantity: .clean), try .spectral(for: plan, calibration: calibration.calibration),
            try calibration.steering(plan, seeds: 100..<104),
        ]
    }

    private static func plan(_ mask: String = mask) throws -> ReusePlan {
        try MaskPlanner(mask).plan(Runs.request(setup.steps))
    }

    @Test func `what the unconditional branch says of channels that are not guided does not matter`() throws {
        let plan = try Self.plan()
        for forecaster in try Self.forecasters(plan) {
            let results = try [0, 10].map { shift in
                let base = ShiftedDenoiser(Self.setup.denoiser(), by: Float(shift))
                var run = try Self.setup.start(
                    CachedDenoiser(base, predictionType: Self.setup.type, plan: plan, forecaster: forecaster))
                while try run.next() != nil {}
                return run.latents.elements
            }
            #expect(results[0] == results[1], "\(forecaster.name)")
        }
    }

    @Test func `steering is better than holding where one of two channels is guided`() throws {
        // Of channels that are not guided, an evaluation of the unconditional branch alone says nothing.
        let plan = try Self.plan("FFRFRFRRFRRF/FRRFRRRRFRRF")
        let calibration = try GaussianCalibration(Self.setup, seeds: 100..<104)
        let steering = try calibration.error(
            seed: 7, plan: plan, spec: calibration.steering(plan, seeds: 100..<104))
        let hold = try calibration.error(seed: 7, plan: plan, spec: .hold(quantity: .clean))
        #expect(steering < hold / 4, "\(steering) \(hold)")
    }
}
