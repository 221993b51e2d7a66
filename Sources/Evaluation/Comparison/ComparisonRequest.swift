import Caching
import Models
import Pipeline
import Sampling

/// What is compared with what, on which images.
public struct ComparisonRequest: Sendable {
    /// The full run's settings.
    public let settings: SampleSettings
    /// The images.
    public let items: [SampleItem]
    /// The strategies, each once; wins are those of the first.
    public let strategies: [any ReuseStrategy]
    /// The budgets, each once.
    public let budgets: [Budget]
    /// Whether the runs' time is reported.
    public let measuresTime: Bool

    /// Joins the parts, and adds what a sceptic asks for, unless it is there.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when there is no strategy or no budget, or an image is one of those that
    ///   calibrations are made of.
    public init(
        settings: SampleSettings, items: [SampleItem], strategies: [any ReuseStrategy], budgets: [Budget],
        measuresTime: Bool = true
    ) throws(PipelineError) {
        guard !strategies.isEmpty else { throw .usage("--strategies names none; give some, such as all") }
        guard !budgets.isEmpty else { throw .usage("--budgets names none; give some, such as 0.5,0.33") }
        if let item = items.first(where: { $0.seed > UInt32.max - UInt32(Calibrator.mostSamples) }) {
            throw .usage(
                "seed \(item.seed): calibrations are made of the last \(Calibrator.mostSamples) seeds, so comparing on it "
                    + "would be unfair; give a lower --seed")
        }
        self.settings = settings
        self.items = items
        self.strategies =
            strategies
            + StrategyCatalogue.sceptics.filter { sceptic in
                // Where the run itself is of DPM-Solver++(2M), fewer of its steps are there already.
                sceptic.name != "fewer-steps:\(settings.sampler.kind.rawValue)"
                    && !strategies.contains { $0.name == sceptic.name }
            }
        self.budgets = budgets.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        self.measuresTime = measuresTime
    }

    /// The most evaluations that all runs can spend together, the uncached ones among them.
    ///
    /// - Parameter total: the evaluations of one uncached image.
    /// - Returns: the evaluations; what calibrating takes comes on top.
    public func evaluations(of total: Int) -> Int {
        items.count * (total + strategies.count * budgets.reduce(0) { $0 + $1.evaluations(of: total) })
    }
}

extension WorkList {
    /// `count` images whose classes, or example prompts, are spread evenly over all: image i has seed `seed` + i and class
    /// floor(i · classes / count), or the classes in turn where there are more images than classes.
    ///
    /// - Throws: As ``init(seed:count:conditions:negative:of:)``.
    public static func spread(
        seed: UInt32, count: Int, negative: String? = nil, of kind: ConditionKind
    ) throws(PipelineError) -> WorkList {
        let all = kind.all
        let different = min(max(count, 1), all.count)
        let conditions = (0..<different).map { all[$0 * all.count / different] }
        return try WorkList(seed: seed, count: count, conditions: conditions, negative: negative, of: kind)
    }
}
