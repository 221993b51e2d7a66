import Caching
import FoundationEssentials
import Pipeline

/// Strategies side by side, on the same images at the same budgets: the result of `omnicache compare`.
public struct ComparisonReport: Codable, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.comparison/1"

    /// The format.
    public let schema: String
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
        /// Pair by pair; empty for a strategy that cannot reach the budget.
        public let pairs: [PairMeasure]

        /// The row without its pairs, as one line of JSON.
        public var line: String {
            get throws {
                let short = Row(
                    budget: budget, strategy: strategy, evaluationsAllowed: evaluationsAllowed,
                    evaluationsNeeded: evaluationsNeeded, summary: summary, plan: nil, pairs: [])
                return String(decoding: try ComparisonReport.encoder.encode(short), as: UTF8.self)
            }
        }
    }

    /// The report as JSON, on one line.
    public var json: [UInt8] {
        get throws { try [UInt8](Self.encoder.encode(self)) + [UInt8(ascii: "\n")] }
    }

    /// Reads a report.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when the file holds something else.
    public init(json: [UInt8], path: String) throws(PipelineError) {
        guard let report = try? JSONDecoder().decode(ComparisonReport.self, from: Data(json)),
            report.schema == Self.currentSchema
        else {
            throw .badData(
                "\(path): no comparison, a damaged one, or one of another version of omnicache; make it anew with compare"
            )
        }
        self = report
    }

    init(
        model: ImageRecord.Model, settings: SampleSettings, items: [SampleItem], calibrationItems: [SampleItem],
        reference: String, evaluationsFull: Int, secondsFull: Double?, threads: Int?, versions: LibraryVersions,
        rows: [Row]
    ) {
        schema = Self.currentSchema
        self.model = model
        self.settings = settings
        self.items = items
        self.calibrationItems = calibrationItems
        self.reference = reference
        self.evaluationsFull = evaluationsFull
        self.secondsFull = secondsFull
        self.threads = threads
        self.versions = versions
        self.rows = rows
    }

    /// The budgets, in the order of the rows.
    public var budgets: [Budget] {
        rows.reduce(into: []) { budgets, row in
            if budgets.last != row.budget { budgets.append(row.budget) }
        }
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
