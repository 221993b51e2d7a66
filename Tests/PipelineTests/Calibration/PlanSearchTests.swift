import Caching
import Compute
import Foundation
import Models
import Sampling
import Testing

@testable import Pipeline

/// Searches on the embedded model, in few steps.
@Suite(.serialized) struct PlanSearchTests {
    private struct Place {
        let directory: ModelDirectory
        let session: ModelSession
        let settings = SampleSettings(steps: 10, sampler: SamplerOptions(.ddim), guidanceScale: 1.5)

        init() throws {
            let models = URL(filePath: #filePath).appending(path: "../../../../Models").standardizedFileURL.path
            directory = try ModelDirectory(path: "\(models)/emoji-dit-s8")
            session = ModelSession(directory: directory)
        }

        func calibrator() throws -> Calibrator {
            try Calibrator(
                directory: directory, network: session.network(), settings: settings, workers: session.workers)
        }

        func search() throws -> PlanSearch {
            try PlanSearch(
                calibrator: calibrator(), directory: directory, network: session.network(), settings: settings,
                workers: session.workers)
        }
    }

    @Test func `the hardest images are those whose short runs disagree, and no usual ones`() throws {
        let place = try Place()
        var spent = 0
        let hard = try place.search().hardest(2, beside: 3) { spent += $0 }
        let screened = Calibrator.items(15, told: place.directory.config.conditions).suffix(12)
        #expect(spent == PlanSearch.evaluationsToScreen(2, steps: 10, branches: 2))
        #expect(hard.count == 2 && hard.allSatisfy(screened.contains))
        // By definition: no other image's two runs end farther apart.
        func distance(_ item: SampleItem) throws -> Double {
            let ends = try PlanSearch.screeningSteps(of: 10).map { steps in
                var settings = place.settings
                settings.steps = steps
                let sampler = try ImageSampler(
                    directory: place.directory, network: place.session.network(), settings: settings,
                    workers: Workers())
                var run = try sampler.start(item)
                while try run.next() != nil {}
                return run.latents.elements
            }
            let squares = zip(ends[0], ends[1]).map { Double($0 - $1) * Double($0 - $1) }.reduce(0, +)
            return squares / ends[1].map { Double($0) * Double($0) }.reduce(0, +)
        }
        let distances = try screened.map(distance).sorted(by: >)
        #expect(try hard.map(distance) == Array(distances.prefix(2)))
    }

    @Test func `a search keeps its budgets, scores no worse than the path planner, and is what sampling then uses`()
        throws
    {
        let place = try Place()
        let store = CalibrationStore(directory: place.directory, settings: place.settings)
        let job = CalibrationJob(session: place.session, settings: place.settings, store: store)
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let schedule = try place.settings.schedule(for: place.directory)
        let outcome = try job.search(items, evaluations: [10])
        #expect(outcome.evaluations <= CalibrationJob.mostEvaluationsToSearch(2, [10], schedule: schedule))
        let choice = try #require(outcome.file.calibration.choices.first)
        #expect(choice.evaluations == 10 && choice.plan.evaluations <= 10)
        // Two hard images, one of which no plan was made from.
        #expect(choice.errors.count == 2)
        #expect(outcome.file.items == items && outcome.file.fits.map(\.plan) == [choice.plan])
        let path = try PathPlanner(calibration: outcome.file.calibration).plan(
            PlanRequest(calls: schedule.calls, branches: schedule.branches, evaluations: 10))
        let other = try score(of: path, as: choice, place, outcome)
        #expect(choice.score <= other + 1e-12)

        let read = try CalibrationFile(data: Data(outcome.file.bytes), path: "calibration.json")
        #expect(read == outcome.file)
        let source = Fixed(file: read)
        func planner(_ request: ReuseRequest) throws -> String? {
            try PlanResolver(schedule: schedule, calibration: source).resolve(request)?.planner
        }
        #expect(try planner(ReuseRequest(budget: Budget(0.5))) == "search")
        #expect(try planner(ReuseRequest(budget: Budget(0.4))) == "path")
        #expect(try planner(ReuseRequest(budget: Budget(0.5), planner: .path)) == "path")
    }

    /// What a file says, whatever else is kept on this machine.
    private struct Fixed: CalibrationSource {
        let file: CalibrationFile

        func calibration() throws -> Calibration { file.calibration }

        func forecaster(
            _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
        ) throws -> Forecaster {
            try bestForecaster(for: plan)
        }

        func bestForecaster(for plan: ReusePlan) throws -> Forecaster {
            try file.fits.first { $0.plan == plan }?.forecaster ?? .spectral(for: plan, calibration: file.calibration)
        }
    }

    /// The score of another plan on the images of a choice.
    private func score(
        of plan: ReusePlan, as choice: PlanChoice, _ place: Place, _ outcome: CalibrationJob.Outcome
    ) throws -> Double {
        let calibrator = try place.calibrator()
        let hard = try place.search().hardest(2, beside: 2) { _ in }
        let images = hard
        let measurement = try calibrator.measure([hard[0]] + outcome.file.items, leavesOut: true) { _ in }
        let forecaster = try Forecaster.spectral(for: plan, calibration: measurement.calibration)
        let errors = try images.map { item in
            try calibrator.error(
                of: forecaster, for: plan, on: item, from: calibrator.record(item) { _ in }
            ) { _ in }
        }
        return PlanChoice(evaluations: 10, plan: plan, errors: errors).score
    }
}
