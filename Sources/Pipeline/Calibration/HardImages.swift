import Caching
import Compute
import Models
import Sampling

/// Finds images that are hard to keep.
///
/// Most images end where they should under any good plan. A few stand between two pictures in their early steps, and a
/// small error there turns them into the other one. Their full runs look like any other's, but their runs of very few
/// steps do not agree: how far two such runs end apart ranks images nearly as the errors of cached runs do. So many
/// images are screened with two short runs each, and the hardest are kept.
package struct HardImages {
    /// The images that are screened for each one that is kept.
    package static let screenedPerImage = 6

    private let conditions: ConditionKind
    private let branches: Int
    private let screening: [ImageSampler]

    /// Prepares to screen.
    ///
    /// - Parameters:
    ///   - directory: The model.
    ///   - network: Its network.
    ///   - settings: The settings of the full runs.
    ///   - workers: The threads to work with.
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings, workers: Workers) throws {
        conditions = directory.conditions
        branches = try settings.guidance.branches.count
        screening = try Self.steps(for: settings.steps).map { steps in
            var short = settings
            short.steps = steps
            // Without noise of its own, and with one call a step: two runs are to differ by their steps alone.
            short.sampler = SamplerOptions(defaultFor: directory.process)
            return try ImageSampler(directory: directory, network: network, settings: short, workers: workers)
        }
    }

    /// The steps of the two short runs, for runs of so many.
    static func steps(for steps: Int) -> [Int] { [max(2, steps / 10), max(3, steps / 7)] }

    /// The evaluations that ``hardest(_:beside:progress:)`` spends on so many images, for runs like these.
    static func evaluations(_ count: Int, schedule: RunSchedule) -> Int {
        count * screenedPerImage * steps(for: schedule.steps).reduce(0, +) * schedule.branches.count
    }

    /// The images whose short runs end farthest apart, the hardest first.
    ///
    /// - Parameters:
    ///   - count: How many to keep; ``screenedPerImage`` times as many are screened.
    ///   - others: How many of ``Calibrator/items(_:told:)`` are in use already.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: The images.
    /// - Throws: What the sampler throws, and what `progress` does.
    func hardest(_ count: Int, beside others: Int, progress: Calibrator.Progress) throws -> [SampleItem] {
        let screened = Calibrator.items(others + count * Self.screenedPerImage, told: conditions).dropFirst(others)
        let ranked = try screened.map { item in
            let ends = try screening.map { sampler in
                var run = try sampler.start(item)
                while try run.next() != nil { try progress(branches) }
                try sampler.check(run.latents)
                return run.latents
            }
            return (item: item, distance: Self.distance(ends[0], ends[1]))
        }
        // The seeds settle ties, so that the choice is the same everywhere.
        return ranked.sorted { ($0.distance, $0.item.seed) > ($1.distance, $1.item.seed) }.prefix(count).map(\.item)
    }

    /// |a − b|² / |b|².
    private static func distance(_ a: Tensor, _ b: Tensor) -> Double {
        let norm = b.squaredNorm
        return norm > 0 ? a.squaredDistance(to: b) / norm : 0
    }
}
