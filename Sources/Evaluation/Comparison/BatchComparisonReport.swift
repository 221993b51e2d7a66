import Media
import Pipeline

/// Finished batches side by side, image by image: the result of `omnicache compare` on manifests.
public struct BatchComparisonReport: SchemaReport, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.batch-comparison/1"
    public static let problem =
        "no comparison of batches, or of another version of omnicache; make it anew with compare"

    /// What a batch is, and what it took.
    public struct Batch: Codable, Equatable, Sendable {
        /// Its directory, as it was given.
        public let name: String
        /// The model that made it.
        public let model: ImageRecord.Model
        /// What its images share; more than one where the list's options differ.
        public let variants: [RunFile.Variant]
        /// How many images its whole list has; those compared may be fewer.
        public let count: Int
        /// The mean over the images.
        public let evaluations: Double
        /// Over the images whose seconds are known; nil if none are.
        public let seconds: Quartiles?
    }

    /// An image that every batch has.
    public struct Image: Codable, Equatable, Sendable {
        /// Its place in the list.
        public let index: Int
        /// The name of its class.
        public let `class`: String
        /// Class and seed.
        public let item: SampleItem
    }

    /// A batch compared with the reference.
    public struct Row: Codable, Equatable, Sendable {
        /// The batch.
        public let batch: Batch
        /// What the pairs say together.
        public let summary: BatchSummary
        /// Pair by pair, in the order of ``BatchComparisonReport/images``.
        public let pairs: [BatchPair]
    }

    /// The format.
    public private(set) var schema = Self.currentSchema
    /// The batch that the others are compared with.
    public let reference: Batch
    /// The images.
    public let images: [Image]
    /// The other batches, in the order in which they were given.
    public let rows: [Row]
    /// What measured.
    public let versions: LibraryVersions

    /// How many pairs there are if the whole list is compared.
    public var listed: Int { ([reference] + rows.map(\.batch)).map(\.count).max() ?? images.count }

    /// Whether all of the list is compared.
    public var isWhole: Bool { images.count == listed }

    /// How much of the list is compared: "400 of 1000 pairs", or "1000 pairs" if it is all.
    public var extent: String {
        "\(images.count)\(isWhole ? "" : " of \(listed)") \(listed == 1 ? "pair" : "pairs")"
    }

    /// The report as JSON, on one line.
    public var json: [UInt8] { jsonLine }

    /// Every pair as a line of JSON, batch by batch, each batch's lines before one with its summary.
    public var lines: [[UInt8]] {
        struct PairLine: Encodable {
            let batch: String
            let item: SampleItem
            let pair: BatchPair
        }
        struct SummaryLine: Encodable {
            let batch: String
            let reference: String
            let images: Int
            let listed: Int
            let summary: BatchSummary
        }
        return rows.flatMap { row in
            zip(images, row.pairs).map { PairLine(batch: row.batch.name, item: $0.item, pair: $1).jsonLine }
                + [
                    SummaryLine(
                        batch: row.batch.name, reference: reference.name, images: images.count, listed: listed,
                        summary: row.summary
                    ).jsonLine
                ]
        }
    }

    /// The pairs of a row that differ most, the farthest first: by PSNR, and by their places where that is the same.
    func farthest(_ count: Int, in row: Row) -> [(image: Image, pair: BatchPair)] {
        zip(images, row.pairs).map { (image: $0, pair: $1) }
            .sorted { ($0.pair.psnr ?? .infinity, $0.pair.index) < ($1.pair.psnr ?? .infinity, $1.pair.index) }
            .prefix(count).map(\.self)
    }

}

extension BatchComparisonReport.Batch {
    /// Describes a batch by those of its images that are compared.
    init(_ batch: FinishedBatch, measuresTime: Bool) {
        self.init(
            name: batch.name, model: batch.run.model, variants: batch.run.variants, count: batch.run.count,
            evaluations: batch.lines.reduce(0) { $0 + Double($1.evaluations) } / Double(batch.lines.count),
            seconds: measuresTime ? Quartiles(unlessEmpty: batch.lines.compactMap(\.seconds)) : nil)
    }
}
