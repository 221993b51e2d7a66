import Caching
import Compute
import Foundation
import Models
import Sampling
import Testing

@testable import Pipeline

/// Calibrations of the embedded model, in few steps.
@Suite(.serialized) struct CalibratorTests {
    private func calibrator(_ options: SamplerOptions, steps: Int) throws -> (Calibrator, ModelDirectory) {
        let models = URL(filePath: #filePath).appending(path: "../../../../Models").standardizedFileURL.path
        let directory = try ModelDirectory(path: "\(models)/emoji-dit-s8")
        let settings = SampleSettings(steps: steps, sampler: options, guidanceScale: 1.5)
        let calibrator = try Calibrator(
            directory: directory, network: directory.load(), settings: settings, workers: Workers())
        return (calibrator, directory)
    }

    /// The embedded model's steps are all beyond 1 somewhere, and steering used to end in noise there.
    @Test(arguments: [SamplerKind.ddim, .ddpm, .dpmSolver])
    func `under clipping the fit in use is never worse than those that know less`(kind: SamplerKind) throws {
        var options = SamplerOptions(kind)
        options.clip = 1
        let (calibrator, directory) = try calibrator(options, steps: 10)
        let items = Calibrator.items(3, told: directory.config.conditions)
        var spent = 0
        let measurement = try calibrator.measure(items, leavesOut: true) { spent += $0 }
        #expect(spent == calibrator.evaluationsToMeasure(3, leavesOut: true) && spent == measurement.evaluations)
        let steps = (0..<10).map { $0.isMultiple(of: 2) || $0 == 9 }
        let plan = ReusePlan(steps: steps, branches: [.conditional, .unconditional])
        spent = 0
        let check = try calibrator.fit(plan, to: measurement) { spent += $0 }
        #expect(spent == Calibrator.evaluationsToFit(plan.evaluations, samples: 3))
        #expect(check.candidates.map(\.forecaster.name) == ["taylor:2", "spectral", "steering"])
        let errors = check.candidates.map(\.error)
        let best = try #require(check.candidates.first { $0.forecaster == check.best })
        #expect(best.error == errors.min() && best.error < 0.3, "\(errors)")
        // Steering itself sees the real step, and destroys nothing.
        #expect(errors[2] < 2 * errors[1], "\(errors)")
    }
}
