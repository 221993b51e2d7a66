import Compute
import Media
import Pipeline
import Reports
import Synchronization

/// What finished batches have cost and hold, by their manifests and files: the result of `omnicache analyze` on manifests.
/// Samples nothing.
public struct BatchAnalysis: SchemaReport, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.batch-analysis/1"
    public static let problem = "no analysis of batches, or of another version of omnicache; make it anew"

    /// One image.
    public struct Image: Codable, Equatable, Sendable {
        /// What the manifest says of it.
        public let line: ManifestLine
        /// The energy of its finest detail, in squared levels; of a clip, the mean over its frames.
        public let highFrequencyEnergy: Double
        /// The standard deviation of all its levels, those of all frames of a clip: 0 for a picture that is blank.
        public let contrast: Double
    }

    /// Images together: those of a batch, or of one of its classes.
    public struct Summary: Codable, Equatable, Sendable {
        /// How many there are.
        public let images: Int
        /// The evaluations of all.
        public let evaluations: Int
        /// Seconds an image, over those whose seconds are known; nil if none are.
        public let seconds: Quartiles?
        /// The energy of the finest detail, in squared levels.
        public let highFrequencyEnergy: Quartiles
        /// The standard deviation of all levels.
        public let contrast: Quartiles

        /// Sums up at least one image.
        init(_ images: [Image]) {
            self.images = images.count
            evaluations = images.reduce(0) { $0 + $1.line.evaluations }
            seconds = Quartiles(unlessEmpty: images.compactMap(\.line.seconds))
            highFrequencyEnergy = Quartiles(images.map(\.highFrequencyEnergy))
            contrast = Quartiles(images.map(\.contrast))
        }
    }

    /// One class of a batch.
    public struct Class: Codable, Equatable, Sendable {
        /// Its number.
        public let classID: Int?
        /// Its name.
        public let name: String
        /// Its images together.
        public let summary: Summary
    }

    /// One batch.
    public struct Batch: Codable, Equatable, Sendable {
        /// Its directory, as it was given.
        public let name: String
        /// What the whole batch is.
        public let run: RunFile
        /// The places of its list that no manifest has.
        public let missing: [Int]
        /// Its images together.
        public let summary: Summary
        /// Its classes, by their numbers.
        public let classes: [Class]
        /// Its images, in the order of its list.
        public let images: [Image]
    }

    /// The format.
    public let schema: String
    /// The batches, in the order in which they were given.
    public let batches: [Batch]
    /// What measured.
    public let versions: LibraryVersions

    /// How many images are read between two reports of progress.
    private static let stretch = 64

    /// Reads every image.
    ///
    /// - Parameters:
    ///   - batches: at least one.
    ///   - workers: the threads; the figures do not depend on them.
    ///   - onProgress: called with the number of images that are done; what it throws ends the work.
    /// - Throws: ``PipelineError`` when an image is missing, damaged, or not what its manifest says; what `onProgress`
    ///   throws.
    public init(_ batches: [FinishedBatch], workers: Workers, onProgress: (_ done: Int) throws -> Void) throws {
        schema = Self.currentSchema
        versions = .current
        var done = 0
        self.batches = try batches.map { batch in
            var images: [Image] = []
            for start in stride(from: 0, to: batch.lines.count, by: Self.stretch) {
                try onProgress(done)
                let lines = batch.lines[start..<min(start + Self.stretch, batch.lines.count)]
                images += try Self.look(at: Array(lines), of: batch, workers: workers)
                done += lines.count
            }
            return Batch(
                name: batch.name, run: batch.run, missing: batch.missing, summary: Summary(images),
                classes: Self.classes(of: images), images: images)
        }
        try onProgress(done)
    }

    private static func look(
        at lines: [ManifestLine], of batch: FinishedBatch, workers: Workers
    ) throws(PipelineError) -> [Image] {
        let outcomes = Mutex([Result<Image, PipelineError>?](repeating: nil, count: lines.count))
        workers.run(tasks: lines.count) { _, task in
            let outcome = Result<Image, PipelineError> { () throws(PipelineError) in
                Image(lines[task], picture: try batch.picture(of: lines[task], peers: workers.count))
            }
            outcomes.withLock { $0[task] = outcome }
        }
        var images: [Image] = []
        for outcome in outcomes.withLock(\.self) {
            guard let outcome else { continue }
            images.append(try outcome.get())
        }
        return images
    }

    private static func classes(of images: [Image]) -> [Class] {
        Dictionary(grouping: images, by: \.line.condition).values.sorted { first, second in
            let (one, other) = (first[0].line, second[0].line)
            return (one.classID ?? .max, one.class) < (other.classID ?? .max, other.class)
        }.map { images in
            Class(classID: images[0].line.classID, name: images[0].line.class, summary: Summary(images))
        }
    }
}

extension BatchAnalysis.Image {
    fileprivate init(_ line: ManifestLine, picture: Clip) {
        let frames = picture.frames
        self.line = line
        highFrequencyEnergy = ImageMetrics.highFrequencyEnergy(frames)
        var (sum, squares) = (0, 0)
        for frame in frames {
            for level in frame.pixels {
                sum += Int(level)
                squares += Int(level) * Int(level)
            }
        }
        let count = Double(frames.count * frames[0].pixels.count)
        let mean = Double(sum) / count
        contrast = max(0, Double(squares) / count - mean * mean).squareRoot()
    }
}

extension BatchAnalysis {
    /// `PREFIX.json`, with all of it, and `PREFIX-images.csv` and `PREFIX-classes.csv`, with a row for each.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<BatchAnalysis> {
        try ReportFiles(
            prefix: prefix, example: "analysis",
            kinds: [
                (".json", { $0.jsonLine }),
                ("-images.csv", { Array($0.imagesCSV.utf8) }),
                ("-classes.csv", { Array($0.classesCSV.utf8) }),
            ], replaces: replaces)
    }

    /// One row per image.
    public var imagesCSV: String {
        CSV.table(
            [
                "batch", "index", "file", "class_id", "class", "seed", "evaluations", "seconds", "fine_detail",
                "contrast",
            ],
            batches.flatMap { batch in
                batch.images.map { image in
                    let line = image.line
                    return [
                        batch.name, "\(line.index)", line.file, line.classID.map { "\($0)" } ?? "", line.class,
                        "\(line.seed)",
                        "\(line.evaluations)", line.seconds.map { "\($0)" } ?? "", "\(image.highFrequencyEnergy)",
                        "\(image.contrast)",
                    ]
                }
            })
    }

    /// One row per class of each batch; seconds, fine detail and contrast are medians.
    public var classesCSV: String {
        CSV.table(
            ["batch", "class_id", "class", "images", "evaluations", "seconds", "fine_detail", "contrast"],
            batches.flatMap { batch in
                batch.classes.map { one in
                    [
                        batch.name, one.classID.map { "\($0)" } ?? "", one.name, "\(one.summary.images)",
                        "\(one.summary.evaluations)",
                        one.summary.seconds.map { "\($0.median)" } ?? "",
                        "\(one.summary.highFrequencyEnergy.median)", "\(one.summary.contrast.median)",
                    ]
                }
            })
    }

    /// The table that a person reads: a row per batch.
    public var table: HTMLTable {
        HTMLTable(
            ["batch", "images", "missing", "classes", "evaluations", "s/image", "fine detail", "contrast"],
            rows: batches.map { batch in
                let summary = batch.summary
                let counts = [summary.images, batch.missing.count, batch.classes.count, summary.evaluations]
                return [.text(batch.name)] + counts.map { .number(Double($0), digits: 0) }
                    + [
                        .number(summary.seconds?.median ?? .nan, digits: 3),
                        .number(summary.highFrequencyEnergy.median, digits: 1),
                        .number(summary.contrast.median, digits: 1),
                    ]
            })
    }

    /// What the columns of ``table`` mean.
    public var legend: String {
        "missing: images of the list that no manifest read has. s/image, fine detail (high-frequency energy) and contrast "
            + "(standard deviation of the levels, over all frames of a clip): medians over the images."
    }
}
