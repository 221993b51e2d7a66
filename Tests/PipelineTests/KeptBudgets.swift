import Caching
import Compute
import Evaluation
import Models
import Pipeline
import Sampling
import Testing

/// Checks that a budget of 1 changes no bit with any strategy, and that a smaller one changes some and is kept.
func expectKeptBudgets(
    of directory: ModelDirectory, _ network: any DenoisingNetwork, _ settings: SampleSettings, condition: Condition
) throws {
    let workers = Workers(count: 2)
    let item = SampleItem(condition: condition, seed: 7)
    func sample(_ wrap: (NetworkDenoiser) -> any Denoiser = { $0 }) throws -> [Float] {
        let sampler = try ImageSampler(directory: directory, network: network, settings: settings, workers: workers)
        var run = try sampler.start(item, wrap: wrap)
        while try run.next() != nil {}
        return run.latents.elements
    }
    let plain = try sample()
    let calibrator = try Calibrator(directory: directory, network: network, settings: settings, workers: workers)
    let items = (1...3).map { SampleItem(condition: condition, seed: $0) }
    let measurement = try calibrator.measure(items, leavesOut: true) { _ in }
    let file = CalibrationFile(
        model: directory.reference(), settings: settings, items: items, calibration: measurement.calibration)
    let context = try StrategyContext(
        directory: directory, network: network, workers: workers, settings: settings, items: [item],
        calibration: StoredCalibration(
            store: CalibrationStore(directory: directory, settings: settings),
            make: { task, known in
                guard case .fit(let plan) = task else { return file }
                let check = try calibrator.fit(plan, to: measurement) { _ in }
                return (known ?? file).adding(CalibrationFile.Fit(plan: plan, forecaster: check.best))
            }))
    let share = 0.6
    let most = (share * Double(try settings.evaluations(for: directory))).rounded()
    for strategy in StrategyCatalogue.peers {
        let whole = try strategy.prepare(Budget(1), in: context)
        #expect(try sample(whole.wrap) == plain, "\(strategy.name)")
        let part: PreparedStrategy
        do {
            part = try strategy.prepare(Budget(share), in: context)
        } catch PlanError.budgetTooSmall {
            continue
        }
        #expect(try sample(part.wrap) != plain, "\(strategy.name)")
        #expect(part.evaluationsSpent <= most, "\(strategy.name)")
    }
}
