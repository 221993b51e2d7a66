import Caching
import Compute
import Foundation
import Media
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
            schedule = try settings.schedule(for: directory)
        }

        func calibrator() throws -> Calibrator {
            try Calibrator(
                directory: directory, network: session.network(), settings: settings, workers: session.workers)
        }

        let schedule: RunSchedule

        var job: CalibrationJob {
            CalibrationJob(session: session, store: CalibrationStore(directory: directory, settings: settings))
        }

        func hardest(_ count: Int, beside others: Int, progress: Calibrator.Progress) throws -> [SampleItem] {
            try HardImages(
                directory: directory, network: session.network(), settings: settings, workers: session.workers
            ).hardest(count, beside: others, progress: progress)
        }
    }

    @Test func `the hardest images are those whose short runs disagree, and no usual ones`() throws {
        let place = try Place()
        var spent = 0
        let hard = try place.hardest(2, beside: 3) { spent += $0 }
        let screened = Calibrator.items(15, told: place.directory.config.conditions).suffix(12)
        #expect(spent == HardImages.evaluations(2, schedule: place.schedule))
        #expect(hard.count == 2 && hard.allSatisfy(screened.contains))
        // By definition: no other image's two runs end farther apart.
        func distance(_ item: SampleItem) throws -> Double {
            let ends = try HardImages.steps(for: 10).map { steps in
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

    @Test func `a search keeps its budgets, beats what it has tried, and is what sampling then uses`() throws {
        let place = try Place()
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let outcome = try place.job.search(items, evaluations: [10])
        #expect(outcome.evaluations <= CalibrationJob.mostEvaluationsToSearch(2, [10], schedule: place.schedule))
        let choice = try #require(outcome.file.calibration.choices.first)
        #expect(choice.evaluations == 10 && choice.plan.evaluations <= 10)
        #expect(choice.errors.count == 2 && choice.quality == nil)
        #expect(outcome.file.items == items && outcome.file.fits.map(\.plan) == [choice.plan])
        #expect(outcome.chosen[0].tried > 10)

        // Fitted on one half and tried on the other, the candidates that everyone would try are no better.
        let calibrator = try place.calibrator()
        let hard = try place.hardest(2, beside: 2) { _ in }
        let measurement = try calibrator.measure(hard + items, allDrift: true) { _ in }
        let trials = PlanTrials(
            calibrator: calibrator, measurement: measurement,
            folds: [PlanTrials.Fold(fitted: [0, 2], tried: [1]), PlanTrials.Fold(fitted: [1, 3], tried: [0])])
        let request = PlanRequest(calls: place.schedule.calls, branches: place.schedule.branches, evaluations: 10)
        let path = try PathPlanner(calibration: outcome.file.calibration).plan(request)
        let even = try UniformPlanner().plan(request)
        let others: [PlanTrials.Candidate] = [
            .init(plan: path, filling: .spectral(outcome.file.calibration.quantity)),
            .init(plan: even, filling: .complete(.hold(quantity: .direction))),
            .init(plan: even, filling: .complete(PlanResolver.plainForecaster)),
        ]
        for other in others {
            let trial = try trials.trial(of: other) { _ in }
            #expect(outcome.chosen[0].error <= trial.error + 1e-9, "\(trial.forecaster.name) on \(trial.errors)")
        }

        let read = try CalibrationFile(data: Data(outcome.file.bytes), path: "calibration.json")
        #expect(read == outcome.file)
        func reuse(_ request: ReuseRequest) throws -> ReuseRecord? {
            try PlanResolver(schedule: place.schedule, calibration: Fixed(file: read)).resolve(request)
        }
        let used = try #require(try reuse(ReuseRequest(budget: Budget(0.5))))
        #expect(used.planner == "search" && used.forecaster == outcome.chosen[0].forecaster)
        #expect(try reuse(ReuseRequest(budget: Budget(0.5), planner: .path))?.planner == "path")
    }

    @Test
    func `a robust plan costs the image that it serves worst no more than the path planner's plan, and mostly less`()
        throws
    {
        let place = try Place()
        let calibrator = try place.calibrator()
        let hard = try place.hardest(2, beside: 2) { _ in }
        let items = hard + Calibrator.items(2, told: place.directory.config.conditions)
        let measurement = try calibrator.measure(items, allDrift: true) { _ in }
        func calibration(_ images: [Int]) -> Calibration {
            calibrator.calibration(from: measurement, images: images, as: .velocity)
        }
        let costs = items.indices.map { image in
            let end = measurement.references[image].finalLatents.elements
            let cost = PlanCost(calibration([image]), objective: .image, calls: place.schedule.calls)
            return (cost: cost, norm: end.reduce(0) { $0 + Double($1) * Double($1) })
        }
        func worst(_ plan: ReusePlan) -> Double { costs.map { $0.cost.cost(of: plan) / $0.norm }.max() ?? 0 }
        var ratios: [Double] = []
        for evaluations in stride(from: 6, through: 16, by: 2) {
            let request = PlanRequest(
                calls: place.schedule.calls, branches: place.schedule.branches, evaluations: evaluations)
            func robust(_ images: [Int]) throws -> ReusePlan {
                try RobustPlan(calibrator: calibrator, measurement: measurement, images: images, quantity: .velocity)
                    .plan(request)
            }
            let path = try PathPlanner(calibration: calibration(Array(items.indices))).plan(request)
            let plan = try robust(Array(items.indices))
            #expect(plan.evaluations <= evaluations)
            ratios.append(worst(plan) / worst(path))
            // Of one image, the worst is the mean.
            #expect(try robust([0]) == PathPlanner(calibration: calibration([0])).plan(request))
        }
        #expect(ratios.allSatisfy { $0 <= 1 } && ratios.contains { $0 < 0.97 }, "\(ratios)")
    }

    @Test func `qualities are measured on images that had no part in the choice`() throws {
        let place = try Place()
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let file = try place.job.calibrate(items, evaluations: [10]).file
        let decoder = PixelDecoder(range: -1...1)
        let measured = try place.job.measureQuality(of: file, images: 2, decoder: decoder)
        #expect(
            measured.evaluations
                == CalibrationJob.evaluationsToMeasureQuality(
                    2, [file.calibration.choices[0].plan.evaluations], schedule: place.schedule))
        let quality = try #require(measured.file.calibration.choices[0].quality)
        #expect(quality.screened == 12 && quality.decibels.count == 2)
        #expect(measured.file.calibration.choices[0].plan == file.calibration.choices[0].plan)
        #expect(measured.file.fits == file.fits && measured.file.items == file.items)
        // By hand: the hardest of the images after those that a search screens.
        let calibrator = try place.calibrator()
        let choice = file.calibration.choices[0]
        let decibels = try place.hardest(2, beside: 14) { _ in }.map { item in
            let full = try calibrator.record(item) { _ in }.finalLatents
            let cached = try calibrator.end(of: item, under: choice.plan, file.fits[0].forecaster) { _ in }
            return ImageMetrics.psnr(cached.elements, full.elements, range: -1...1)
        }
        #expect(decibels.sorted() == quality.decibels)
    }

    @Test func `a search without time tries one plan, and spends no more than it says`() throws {
        let place = try Place()
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let outcome = try place.job.search(items, evaluations: [10, 8], limit: .nanoseconds(1))
        #expect(outcome.chosen.map(\.tried) == [1, 1])
        #expect(outcome.file.calibration.choices.map(\.evaluations) == [10, 8])
    }

    @Test func `a plan for hard images that would have no more evaluations is refused before any work`() throws {
        let place = try Place()
        let settings = place.directory.defaultSettings
        let schedule = try settings.schedule(for: place.directory)
        let file = try #require(try CalibrationStore(directory: place.directory, settings: settings).load()).file
        let known = file.calibration
        let forecaster = try #require(file.fits.map(\.forecaster).first { $0.rule is FittedRule })
        /// A choice of as many evaluations as its plan has.
        func choices(_ masks: [String]) throws -> CalibrationFile {
            let plans = try masks.map { mask in
                let full = mask.split(separator: "/").map { $0.padding(toLength: 50, withPad: "R", startingAt: 0) }
                return try MaskPlanner(full.joined(separator: "/")).plan(
                    PlanRequest(calls: schedule.calls, branches: schedule.branches, evaluations: schedule.evaluations))
            }
            let calibration = Calibration(
                gram: known.gram, quantity: known.quantity, predictionType: known.predictionType,
                response: known.response, stateGain: known.stateGain, path: known.path)
            let empty = CalibrationFile(
                model: file.model, settings: settings, items: file.items,
                calibration: calibration.choosing(
                    plans.map { PlanChoice(evaluations: $0.evaluations, plan: $0, errors: [1]) }))
            return plans.reduce(empty) { $0.adding(CalibrationFile.Fit(plan: $1, forecaster: forecaster)) }
        }
        // The light plan begins with three evaluations where the heavy one has six: 24 become 21.
        let few = try choices(["FRFR/FRRR", "FFFFFFFFFFF", "FFFFFFFFFFFF"])
        #expect {
            try CalibrationJob.evaluationsToGuard(few, [22], images: 2, schedule: schedule)
        } throws: { "\($0)".contains("goes on as that of 24 has only 21") }
        let enough = try choices(["FRFR/FRRR", "FFFFFFFFFFF", "FFFFFFFFFFFFFF"])
        #expect(try CalibrationJob.evaluationsToGuard(enough, [22], images: 2, schedule: schedule) > 0)
    }

    @Test func `another budget is added to what was chosen before, and more images stand behind both`() throws {
        let place = try Place()
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let half = try place.job.calibrate(items, evaluations: [10]).file
        let third = try place.job.calibrate(items, evaluations: [6]).file
        let both = third.completed(by: half)
        #expect(both.calibration.choices.map(\.evaluations) == [10, 6])
        #expect(half.fits.allSatisfy(both.fits.contains) && third.fits.allSatisfy(both.fits.contains))
        #expect(third.completed(by: third) == third)
        let single = try place.job.calibrate(Array(items.prefix(1)), evaluations: [10, 6]).file
        for joined in [third.completed(by: single), single.completed(by: third)] {
            #expect(joined.items == third.items && joined.calibration.gram == third.calibration.gram)
            #expect(joined.calibration.choices.map(\.evaluations) == [10, 6])
            #expect(joined.calibration.choices.allSatisfy { choice in joined.fits.contains { $0.plan == choice.plan } })
        }
        #expect(third.completed(by: single).calibration.choices[1] == third.calibration.choices[0])
        #expect(third.completed(by: single).calibration.choices.map(\.images) == [1, 2])
        #expect(single.completed(by: third, replacing: true).items == single.items)
        #expect(single.completed(by: third).calibration.choices == single.calibration.choices)
    }

    @Test(arguments: [1, 4]) func `calibrating chooses from a few, even spacing among them where steps are few`(
        samples: Int
    ) throws {
        let place = try Place()
        let items = Calibrator.items(samples, told: place.directory.config.conditions)
        let outcome = try place.job.calibrate(items, evaluations: [10, 6])
        #expect(outcome.evaluations == CalibrationJob.mostEvaluations(samples, [10, 6], schedule: place.schedule))
        #expect(outcome.chosen.map(\.tried) == [4, 4])
        #expect(outcome.chosen.allSatisfy { $0.choice.errors.count == 1 })
        #expect(outcome.file.items == items)
    }

    @Test func `where steps are few and nothing has been tried, they are shared out evenly`() throws {
        let place = try Place()
        func reuse(_ budget: Double, _ source: some CalibrationSource) throws -> ReuseRecord? {
            try PlanResolver(schedule: place.schedule, calibration: source)
                .resolve(ReuseRequest(budget: Budget(budget)))
        }
        let untried = try #require(try reuse(0.5, NoCalibration()))
        #expect(untried.planner == "uniform" && untried.forecaster == .hold(quantity: .direction))
        let items = Calibrator.items(2, told: place.directory.config.conditions)
        let file = try place.job.calibrate(items, evaluations: [10]).file
        #expect(try reuse(0.5, Fixed(file: file))?.planner == "search")
        #expect(try reuse(0.3, Fixed(file: file))?.planner == "uniform")
        #expect(try reuse(1, NoCalibration()) == nil)
    }

    /// What a file says, whatever else is kept on this machine.
    private struct Fixed: CalibrationSource {
        let file: CalibrationFile

        func calibration() throws -> Calibration { file.calibration }

        func knownCalibration() -> Calibration? { file.calibration }

        func tell(_ text: String) {}

        func forecaster(
            _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
        ) throws -> Forecaster {
            try bestForecaster(for: plan)
        }

        func bestForecaster(for plan: ReusePlan) throws -> Forecaster {
            try file.fits.first { $0.plan == plan }?.forecaster ?? .spectral(for: plan, calibration: file.calibration)
        }
    }
}
