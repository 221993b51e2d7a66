import Caching
import Pipeline

/// Strategies side by side, on the same images at the same budgets: the result of `omnicache compare`.
public struct ComparisonReport: SchemaReport, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.comparison/1"
    public static let problem =
        "no comparison, a damaged one, or one of another version of omnicache; make it anew with compare"

    /// The format.
    public private(set) var schema = Self.currentSchema
    /// The model.
    public let model: ImageRecord.Model
    /// The full run's settings.
    public let settings: SampleSettings
    /// The class and the seed of each pair.
    public let items: [SampleItem]
    /// The images that the published strategies were calibrated on.
    public let calibrationItems: [SampleItem]
    /// The strategy whose wins are counted.
    public let reference: String
    /// The evaluations of an uncached image.
    public let evaluationsFull: Int
    /// What an uncached image takes, the median over the pairs; nil where time is not measured.
    public let secondsFull: Double?
    /// The threads that the time was measured with; nil where it is not.
    public let threads: Int?
    /// What measured.
    public let versions: LibraryVersions
    /// Budget by budget, the strategies in the order of the request.
    public let rows: [Row]

    /// One strategy at one budget.
    public struct Row: Codable, Equatable, Sendable {
        /// The budget.
        public let budget: Budget
        /// The strategy's name.
        public let strategy: String
        /// The most evaluations that the budget allows for an image.
        public let evaluationsAllowed: Int
        /// What its rules need; nil for a strategy that reaches the budget.
        public let evaluationsNeeded: Int?
        /// What the pairs say together; nil for a strategy that cannot reach the budget.
        public let summary: ComparisonSummary?
        /// What is evaluated when, for a strategy that decides before the run.
        public let plan: ReusePlan?
        /// What was promised of the plan, and whether it was kept; nil where nothing was.
        public let promise: Promise?
        /// Pair by pair; empty for a strategy that cannot reach the budget.
        public let pairs: [PairMeasure]

        /// The row without its pairs, as one line of JSON.
        public var line: String {
            let short = Row(
                budget: budget, strategy: strategy, evaluationsAllowed: evaluationsAllowed,
                evaluationsNeeded: evaluationsNeeded, summary: summary, plan: nil, promise: promise, pairs: [])
            return String(decoding: short.jsonLine.dropLast(), as: UTF8.self)
        }
    }

    /// What was promised of a plan, held against the pairs.
    public struct Promise: Codable, Equatable, Sendable {
        /// What 95 % of images are to keep, in dB (``/Caching/QualityCurve``).
        public let decibels: Double
        /// The pairs that did.
        public let kept: Proportion

        init(_ decibels: Double, of pairs: [PairMeasure]) {
            self.decibels = decibels
            kept = Proportion(pairs.count { ($0.psnr ?? .infinity) >= decibels }, of: pairs.count)
        }
    }

    /// The report as JSON, on one line.
    public var json: [UInt8] { jsonLine }

    /// The budgets, in the order of the rows.
    public var budgets: [Budget] {
        rows.reduce(into: []) { budgets, row in
            if budgets.last != row.budget { budgets.append(row.budget) }
        }
    }
}
