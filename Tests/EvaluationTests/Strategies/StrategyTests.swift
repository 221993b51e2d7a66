import Caching
import Compute
import Foundation
import Media
import Models
import Sampling
import Testing

@testable import Evaluation
@testable import Pipeline

/// The laws that every strategy keeps, on the embedded model.
@Suite(.serialized) struct StrategyTests {
    /// The model and a run of few steps, opened once.
    private struct Place {
        let context: StrategyContext
        let sampler: ImageSampler
        /// An image that no strategy has seen, uncached.
        let plain: [Float]

        static let unseen = SampleItem(classID: 7, seed: 1)

        init(
            steps: Int, guidance: Double, items: Int, path: String? = nil, sampler kind: SamplerKind = .ddim
        ) throws {
            let models = URL(filePath: #filePath).appending(path: "../../../../Models").standardizedFileURL.path
            let directory = try ModelDirectory(path: path ?? "\(models)/emoji-dit-s8")
            let network = try directory.load()
            let settings = SampleSettings(steps: steps, sampler: SamplerOptions(kind), guidanceScale: guidance)
            context = try StrategyContext(
                directory: directory, network: network, workers: Workers(), settings: settings,
                items: (0..<items).map { SampleItem(classID: 13 * $0 + 5, seed: UInt32(900 + $0)) },
                calibration: SpectralSource(directory: directory, network: network, settings: settings))
            sampler = try ImageSampler(
                directory: directory, network: network, settings: settings, workers: Workers())
            plain = try Self.sample(Self.unseen, sampler: sampler, nil)
        }

        func sample(_ item: SampleItem, _ prepared: PreparedStrategy) throws -> [Float] {
            try Self.sample(item, sampler: sampler, prepared)
        }

        private static func sample(
            _ item: SampleItem, sampler: ImageSampler, _ prepared: PreparedStrategy?
        ) throws -> [Float] {
            var run = try sampler.start(item) { prepared?.wrap($0) ?? $0 }
            while try run.next() != nil {}
            return run.latents.elements
        }
    }

    nonisolated(unsafe) private static let guided = Result { try Place(steps: 10, guidance: 1.5, items: 1) }
    nonisolated(unsafe) private static let unguided = Result { try Place(steps: 8, guidance: 1, items: 1) }

    private static let peers = StrategyCatalogue.peers.map(\.name)
    private let unseen = [Place.unseen, SampleItem(classID: 90, seed: 3)]

    private func strategy(_ name: String) throws -> any ReuseStrategy {
        try #require(StrategyCatalogue.named(name))
    }

    @Test(arguments: peers) func `a budget of 1 changes no bit`(name: String) throws {
        let place = try Self.guided.get()
        let prepared = try strategy(name).prepare(Budget(1), in: place.context)
        let changesNothing = try place.sample(unseen[0], prepared) == place.plain
        #expect(changesNothing)
        #expect(prepared.evaluationsSpent == Double(place.context.fullEvaluations))
    }

    @Test(arguments: peers, [0.5, 0.33, 0.2])
    func `no unseen image costs more than the budget, and some of it is spent`(name: String, share: Double) throws {
        let place = try Self.guided.get()
        let budget = try Budget(share)
        let total = place.context.fullEvaluations
        let limit = budget.evaluations(of: total)
        let prepared: PreparedStrategy
        do {
            prepared = try strategy(name).prepare(budget, in: place.context)
        } catch PlanError.budgetTooSmall(let planner, let smallest, total) {
            #expect(planner == name && smallest > limit)
            // What the error promises holds.
            let enough = try Budget(Double(smallest) / Double(total))
            _ = try strategy(name).prepare(enough, in: place.context)
            return
        }
        for item in unseen {
            _ = try place.sample(item, prepared)
            #expect(prepared.evaluationsSpent <= Double(limit))
            #expect(prepared.evaluationsSpent >= Double(limit) / 2)
        }
    }

    @Test(arguments: peers) func `nothing leaks from one image to the next`(name: String) throws {
        let place = try Self.guided.get()
        let prepared = try strategy(name).prepare(Budget(0.5), in: place.context)
        let first = try place.sample(unseen[0], prepared)
        let spent = prepared.evaluationsSpent
        let other = try place.sample(unseen[1], prepared)
        let again = try place.sample(unseen[0], prepared)
        // Compared here: a failed expectation of long arrays takes minutes to print.
        let (isSame, isOwn, isCached) = (first == again, first != other, first != place.plain)
        #expect(isSame && isOwn && isCached)
        #expect(prepared.evaluationsSpent == spent)
    }

    @Test(arguments: peers) func `a run without guidance keeps the budget too`(name: String) throws {
        let place = try Self.unguided.get()
        let total = Double(place.context.fullEvaluations)
        // Attention alone is less than half of the work.
        let share = name == "fastercache" ? 0.75 : 0.5
        let prepared = try strategy(name).prepare(Budget(share), in: place.context)
        _ = try place.sample(unseen[0], prepared)
        #expect(prepared.evaluationsSpent <= share * total)
    }

    @Test func `a setting is the published one unless another brings the calibration images nearer`() throws {
        let context = try Self.guided.get().context
        let calls = context.calls.count
        // How many calls are full: more bring the image nearer.
        func prepare(_ full: Int) -> PreparedStrategy {
            let plan = ReusePlan(
                steps: SpacedCalls.full(calls: calls, full: full), branches: context.branches)
            return PreparedStrategy(plan: plan, forecaster: .hold(), in: context)
        }
        #expect(try context.best(of: [2, 8, 4], prepare: prepare).setting == 8)
        #expect(try context.best(of: [(0, 3), (1, 3)]) { prepare($0.1) }.setting.0 == 0)
        let errors = try [2, 8].map { try context.finalError(of: prepare($0)) }
        #expect(errors[1] < errors[0])
        let bare = try StrategyContext(
            directory: context.directory, network: context.network, workers: Workers(),
            settings: context.settings, items: [])
        #expect(try bare.best(of: [2, 8], prepare: prepare).setting == 2)
    }

    @Test(arguments: [LayerForecastStrategy.taylorSeer, .hiCache], [0.6, 0.4])
    func `the order and the scale that are chosen are no farther than the published ones`(
        strategy: LayerForecastStrategy, share: Double
    ) throws {
        let context = try Self.guided.get().context
        let published = LayerForecastStrategy(
            name: strategy.name, orders: [4], bases: [strategy.bases[0]], warmUp: strategy.warmUp)
        let errors = try [strategy, published].map { strategy in
            try context.finalError(of: strategy.prepare(Budget(share), in: context))
        }
        #expect(errors[0] <= errors[1])
    }

    @Test func `a strategy for flows refuses a diffusion model and keeps its laws on a flow`() throws {
        let diffusion = try Self.guided.get().context
        #expect(throws: PlanError.self) { try strategy("meancache").prepare(Budget(0.5), in: diffusion) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "flow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = URL(filePath: diffusion.directory.path)
        for name in ["model.safetensors", "class_contents.json"] {
            try FileManager.default.copyItem(at: model.appending(path: name), to: folder.appending(path: name))
        }
        let text = try Data(contentsOf: model.appending(path: "config.json"))
        var config = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
        config["prediction_type"] = "flow"
        for key in ["beta_schedule", "beta_start", "beta_end"] { config[key] = nil }
        try JSONSerialization.data(withJSONObject: config).write(to: folder.appending(path: "config.json"))
        let place = try Place(steps: 10, guidance: 1.5, items: 1, path: folder.path, sampler: .euler)
        let full = try strategy("meancache").prepare(Budget(1), in: place.context)
        let changesNothing = try place.sample(unseen[0], full) == place.plain
        #expect(changesNothing && full.evaluationsSpent == 20)
        for share in [0.5, 0.33, 0.2] {
            let prepared = try strategy("meancache").prepare(Budget(share), in: place.context)
            let first = try place.sample(unseen[0], prepared)
            #expect(prepared.evaluationsSpent == Double(try Budget(share).evaluations(of: 20) / 2 * 2))
            _ = try place.sample(unseen[1], prepared)
            let isSame = try place.sample(unseen[0], prepared) == first
            #expect(isSame)
        }
    }

    @Test(arguments: ["fewer-steps", "fewer-steps:dpm++2m", "fewer-steps:heun", "fewer-steps:ddim"])
    func `fewer steps take as many as the evaluations allow`(name: String) throws {
        let context = try Self.guided.get().context
        for share in [1, 0.5, 0.33, 0.2] {
            let budget = try Budget(share)
            let limit = budget.evaluations(of: context.fullEvaluations)
            let prepared = try strategy(name).prepare(budget, in: context)
            #expect(prepared.evaluationsSpent <= Double(limit))
            #expect(try prepared.settings.evaluations(for: context.directory) == Int(prepared.evaluationsSpent))
            var more = prepared.settings
            more.steps += 1
            #expect(try more.evaluations(for: context.directory) > limit)
        }
        #expect(throws: PlanError.self) { try strategy(name).prepare(Budget(0.05), in: context) }
    }

    @Test func `fewer steps are no more than the other sampler's spacing has`() throws {
        let context = try Self.guided.get().context
        let long = try StrategyContext(
            directory: context.directory, network: context.directory.load(), workers: Workers(),
            settings: SampleSettings(steps: 1000, sampler: SamplerOptions(), guidanceScale: 1.5), items: [])
        let prepared = try strategy("fewer-steps:dpm++2m").prepare(Budget(1), in: long)
        #expect(prepared.settings.steps == 999 && prepared.evaluationsSpent == 1998)
    }

    @Test func `every strategy is found by its name`() {
        let all = StrategyCatalogue.peers + StrategyCatalogue.flows + StrategyCatalogue.sceptics
        #expect(all.allSatisfy { StrategyCatalogue.named($0.name)?.name == $0.name })
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(StrategyCatalogue.named("fewer-steps:none") == nil)
        #expect(StrategyCatalogue.named("cache") == nil)
    }

    @Test func `a calibrated strategy without calibration images says what it needs`() throws {
        let context = try Self.guided.get().context
        let bare = try StrategyContext(
            directory: context.directory, network: context.directory.load(), workers: Workers(),
            settings: context.settings, items: [])
        let calibrated = [
            "smoothcache", "teacache", "fbcache", "magcache", "easycache", "goc", "lemica", "dpcache", "budcache",
            "cem", "l2p", "tcc",
        ]
        for name in calibrated {
            #expect(throws: PlanError.self) { try strategy(name).prepare(Budget(0.5), in: bare) }
        }
        for name in ["fora", "taylorseer", "hicache", "foca", "spectrum", "fastercache", "fewer-steps"] {
            #expect(throws: Never.self) { try strategy(name).prepare(Budget(0.5), in: bare) }
        }
    }
}

/// Calibrates on one image when it is first asked, and fits open loop where steering is asked for.
private final class SpectralSource: CalibrationSource {
    private let directory: ModelDirectory
    private let network: any DenoisingNetwork
    private let settings: SampleSettings
    private var known: Calibration?

    init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings) {
        (self.directory, self.network, self.settings) = (directory, network, settings)
    }

    func calibration() throws -> Calibration {
        if let known { return known }
        let calibrator = try Calibrator(
            directory: directory, network: network, settings: settings, workers: Workers())
        let items = Calibrator.items(1, told: directory.config.conditions)
        let calibration = try calibrator.measure(items) { _ in }.calibration
        known = calibration
        return calibration
    }

    func knownCalibration() -> Calibration? { known }

    func tell(_ text: String) {}

    func forecaster(_ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan) throws -> Forecaster {
        try .spectral(for: plan, calibration: calibration())
    }

    func bestForecaster(for plan: ReusePlan) throws -> Forecaster {
        try .spectral(for: plan, calibration: calibration())
    }
}
