import Caching
import Compute
import Evaluation
import Foundation
import Media
import Models
import Sampling
import Testing

@testable import Pipeline

/// A network of another kind goes through the whole pipeline: nothing outside `Models` may know which network it serves.
@Suite(.serialized) struct SeamTests {
    private static let owls = SampleItem(condition: .prompt("two owls"), seed: 7)

    @Test func `a family is found by what the model's config.json says`() throws {
        let model = try ToyModel()
        #expect(model.network is ToyNetwork)
        #expect(model.directory.latentShape == LatentShape(channels: 3, frames: 2, height: 12, width: 16))
        #expect(model.directory.defaultSettings.guidanceScale == 2)
        #expect(model.directory.classes.count == 0)
        let error = #expect(throws: ModelError.self) { try ModelDirectory(path: model.path) }
        #expect("\(try #require(error))".contains("architecture is toy; supported: DiT"))
    }

    @Test func `it is sampled: a clip is a function of prompt and seed`() throws {
        let model = try ToyModel()
        let clip = try model.sample(Self.owls)
        #expect(clip.shape == [3, 2, 12, 16])
        #expect(try model.sample(Self.owls).elements == clip.elements)
        let others = [
            SampleItem(condition: .prompt("rain"), seed: 7), SampleItem(condition: .prompt("two owls"), seed: 8),
        ]
        for other in others { #expect(try model.sample(other).elements != clip.elements) }
    }

    @Test func `it is cached: a budget is kept, and one of 1 changes no bit`() throws {
        let model = try ToyModel()
        let plain = try model.sample(Self.owls)
        let context = try StrategyContext(
            directory: model.directory, network: model.network, workers: Workers(count: 2), settings: model.settings,
            items: [SampleItem(condition: .prompt("a red ball"), seed: 1)], calibration: try model.calibration())
        for strategy in StrategyCatalogue.peers {
            let whole = try strategy.prepare(Budget(1), in: context)
            #expect(try model.sample(Self.owls, wrap: whole.wrap).elements == plain.elements, "\(strategy.name)")
            let half: PreparedStrategy
            do {
                half = try strategy.prepare(Budget(0.6), in: context)
            } catch PlanError.budgetTooSmall(_, let smallest, _) {
                #expect(smallest > 12)
                continue
            }
            let cached = try model.sample(Self.owls, wrap: half.wrap)
            #expect(cached.elements != plain.elements, "\(strategy.name)")
            #expect(half.evaluationsSpent <= 12 && half.evaluationsSpent > 0, "\(strategy.name)")
        }
    }

    @Test func `it is calibrated and planned: the planners' own forecasters fill the gaps`() throws {
        let model = try ToyModel()
        let schedule = try model.settings.schedule(for: model.directory)
        let resolver = PlanResolver(schedule: schedule, calibration: try model.calibration())
        for (planner, forecaster) in [
            (PlannerKind.path, ForecasterChoice.CalibratedForecaster.steering), (.curvature, .omnicache),
        ] {
            let request = ReuseRequest(
                budget: try Budget(0.6), planner: planner, forecaster: .calibrated(forecaster))
            let reuse = try #require(try resolver.resolve(request))
            #expect(reuse.evaluations <= 12)
            let filler = try reuse.forecaster(for: schedule)
            let cached = try model.sample(Self.owls) {
                CachedDenoiser(
                    $0, predictionType: model.directory.process.predictionType, plan: reuse.decisions,
                    forecaster: filler)
            }
            let isFinite = cached.elements.allSatisfy(\.isFinite)
            #expect(isFinite)
        }
    }

    @Test func `it is compared: every strategy has figures over both frames`() throws {
        let model = try ToyModel()
        let names = "path+steering,uniform+taylor:2,peers"
        let request = try ComparisonRequest(
            settings: model.settings, items: [Self.owls], strategies: StrategyCatalogue.strategies(names),
            budgets: [Budget(0.8)])
        let decoder = try #require(try model.directory.decoder(.own)).load(workers: Workers(count: 1))
        let comparison = try Comparison(
            directory: model.directory, network: model.network, decoder: decoder, workers: Workers(count: 2),
            request: request, calibration: model.calibration())
        let result = try comparison.run { _ in }
        #expect(result.report.rows.count == request.strategies.count)
        let reached = result.report.rows.filter { $0.evaluationsNeeded == nil }
        #expect(reached.count > 10 && reached.allSatisfy { $0.pairs.count == 1 && $0.pairs[0].latentError != nil })
        let picture = try #require(result.gallery.picture(of: 0, row: nil))
        #expect(picture.frames.count == 2 && picture.frames.allSatisfy { ($0.width, $0.height) == (16, 12) })
        #expect(reached.allSatisfy { $0.pairs[0].flicker != nil && $0.summary?.flicker != nil })
    }

    @Test func `it is analysed by its own kinds of layers`() throws {
        let model = try ToyModel()
        let analysis = try TrajectoryAnalysis(
            directory: model.directory, network: model.network, settings: model.settings, workers: Workers(count: 1))
        var run = try analysis.start(Self.owls)
        while try run.next() != nil {}
        let report = try analysis.report()
        #expect(Set(report.blocks.map(\.site.rawValue)) == ["mixing", "stack"])
        #expect(report.shape == [3, 2, 12, 16])
        #expect(report.calls.count == 10)
    }

    @Test func `it is written: the file holds the frames, and says how to make it again`() throws {
        let model = try ToyModel()
        let latents = try model.sample(Self.owls)
        let decoder = try #require(try model.directory.decoder(.own)).load(workers: Workers(count: 1))
        let frames = try decoder.decode(latents)
        #expect(frames.count == 2 && frames.allSatisfy { $0.width == 16 && $0.height == 12 })
        let record = ImageRecord(model: model.directory.reference(), settings: model.settings, items: [Self.owls])
        let pattern = try OutputPattern("\(model.path)/{class}-{seed}.png")
        let path = pattern.path(for: Self.owls, index: 0, classNames: model.directory.classes)
        #expect(path == "\(model.path)/two-owls-7.png")
        let file = ImageFile(path: path, format: .png, replaces: false)
        let bytes = try file.write(Clip(frames), record: record, classNames: model.directory.classes)
        #expect(try PNGReader.clip(bytes) == Clip(frames))
        #expect(try file.standing(for: record) == .done)
        let metadata = try ImageMetadata(png: bytes, path: path)
        #expect(metadata.record == record)
        // What the file says makes the same clip.
        #expect(try model.sample(metadata.record.items[0]).elements == latents.elements)
        #expect(SettingsHasher(record).hash(of: Self.owls) == record.settingsHash)
        let stored = LatentFile(path: "\(model.path)/latents.safetensors", replaces: false)
        try stored.write(latents, record: record)
        let read = try LatentFile.readNoise(path: stored.path, shape: model.directory.latentShape.dimensions)
        #expect(read.elements == latents.elements)
    }

    @Test func `it is measured: its own products are timed, and a forward beside them`() throws {
        let model = try ToyModel()
        let subject = try BenchmarkSubject(directory: model.directory)
        let benchmark = Benchmark(subject: subject, workers: Workers(count: 2), repeats: 1)
        #expect(try benchmark.operations().map(\.name) == ["mix"])
        #expect(try benchmark.forwards().map(\.branches) == [2, 1])
        #expect(benchmark.emptyReport.subject.parameters == 36)
    }
}
