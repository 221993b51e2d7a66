import Compute
import Media
import Pipeline
import Synchronization

/// Compares finished batches by their files: the first with each of the others, image by image. Samples nothing.
public struct BatchComparison: Sendable {
    /// What came out.
    public struct Result: Sendable {
        /// The figures.
        public let report: BatchComparisonReport
        /// Some of the pictures.
        public let gallery: ComparisonGallery
    }

    /// How many images are read between two reports of progress.
    private static let stretch = 64

    /// How many pairs there are, of each batch with the first.
    public var imageCount: Int { reference.lines.count }

    private let reference: FinishedBatch
    private let others: [FinishedBatch]
    private let measuresTime: Bool

    /// Pairs the images up.
    ///
    /// - Parameters:
    ///   - batches: the batches; the others are compared with the first.
    ///   - measuresTime: whether the images' seconds are reported.
    /// - Throws: ``PipelineError/usage(_:)`` for a single batch, ``PipelineError/badData(_:)`` where two batches are not
    ///   of one list, with the first difference.
    public init(_ batches: [FinishedBatch], measuresTime: Bool) throws(PipelineError) {
        guard let reference = batches.first, batches.count > 1 else {
            throw .usage(
                "\(batches.first?.name ?? ""): one batch is nothing to compare; give the directory or the manifests of "
                    + "another beside it")
        }
        self.reference = reference
        self.measuresTime = measuresTime
        others = Array(batches.dropFirst())
        for other in others { try Self.check(other, against: reference) }
    }

    private static func check(_ other: FinishedBatch, against reference: FinishedBatch) throws(PipelineError) {
        for (mine, theirs) in zip(reference.lines, other.lines) {
            guard mine.index == theirs.index else {
                let (has, lacks, line) =
                    mine.index < theirs.index ? (reference, other, mine) : (other, reference, theirs)
                throw .badData(unequal(has, lacks, line))
            }
            guard mine.condition == theirs.condition, mine.seed == theirs.seed else {
                throw .badData(
                    "image \(mine.index) has \(mine.condition) and seed \(mine.seed) in \(reference.name), "
                        + "\(theirs.condition) and seed \(theirs.seed) in \(other.name); compare batches of one list")
            }
        }
        let (mine, theirs) = (reference.lines, other.lines)
        if mine.count > theirs.count { throw .badData(unequal(reference, other, mine[theirs.count])) }
        if theirs.count > mine.count { throw .badData(unequal(other, reference, theirs[mine.count])) }
    }

    private static func unequal(_ has: FinishedBatch, _ lacks: FinishedBatch, _ line: ManifestLine) -> String {
        "image \(line.index) is listed in \(has.name) and not in \(lacks.name); run what is unfinished again, and give "
            + "the same part of both"
    }

    /// Does all of the work.
    ///
    /// - Parameters:
    ///   - workers: the threads; the figures do not depend on them.
    ///   - onProgress: called with the number of images that are done; what it throws ends the work.
    /// - Returns: the figures and some of the pictures.
    /// - Throws: ``PipelineError`` when an image is missing, damaged, or not what its manifest says; what `onProgress`
    ///   throws.
    public func run(workers: Workers, onProgress: (_ done: Int) throws -> Void) throws -> Result {
        var gallery = ComparisonGallery(pairs: imageCount)
        var pairs = others.map { _ in [BatchPair]() }
        for start in stride(from: 0, to: imageCount, by: Self.stretch) {
            try onProgress(start)
            let count = min(Self.stretch, imageCount - start)
            let outcomes = Mutex([Swift.Result<[BatchPair], PipelineError>?](repeating: nil, count: count))
            let shown = Mutex([Int: [Clip]]())
            workers.run(tasks: count) { _, task in
                let place = start + task
                do throws(PipelineError) {
                    let (measures, pictures) = try measure(place, peers: workers.count)
                    if gallery.pairs.contains(place) { shown.withLock { $0[place] = pictures } }
                    outcomes.withLock { $0[task] = .success(measures) }
                } catch {
                    outcomes.withLock { $0[task] = .failure(error) }
                }
            }
            for outcome in outcomes.withLock(\.self) {
                for (row, pair) in try (outcome?.get() ?? []).enumerated() { pairs[row].append(pair) }
            }
            for (place, pictures) in shown.withLock(\.self) {
                for (row, picture) in pictures.enumerated() {
                    gallery.add(picture, of: place, row: row == 0 ? nil : row - 1)
                }
            }
        }
        try onProgress(imageCount)
        return Result(report: report(pairs), gallery: gallery)
    }

    /// An image of every batch, and how they compare with that of the first.
    private func measure(_ place: Int, peers: Int) throws(PipelineError) -> (pairs: [BatchPair], pictures: [Clip]) {
        let line = reference.lines[place]
        let picture = try reference.picture(of: line, peers: peers)
        var pairs: [BatchPair] = []
        var pictures = [picture]
        for other in others {
            let otherLine = other.lines[place]
            let otherPicture = try other.picture(of: otherLine, peers: peers)
            do throws(ImageError) {
                pairs.append(
                    try BatchPair(otherLine, otherPicture, against: line, picture, measuresTime: measuresTime))
            } catch {
                throw .badData("\(reference.path(of: line)) and \(other.path(of: otherLine)): \(error)")
            }
            pictures.append(otherPicture)
        }
        return (pairs, pictures)
    }

    private func report(_ pairs: [[BatchPair]]) -> BatchComparisonReport {
        BatchComparisonReport(
            reference: BatchComparisonReport.Batch(reference, measuresTime: measuresTime),
            images: reference.lines.map { line in
                BatchComparisonReport.Image(
                    index: line.index, class: line.class,
                    item: SampleItem(condition: line.condition, seed: line.seed, negative: line.negativePrompt))
            },
            rows: zip(others, pairs).map { batch, pairs in
                BatchComparisonReport.Row(
                    batch: BatchComparisonReport.Batch(batch, measuresTime: measuresTime),
                    summary: BatchSummary(pairs), pairs: pairs)
            }, versions: .current)
    }
}

extension BatchComparison {
    /// What the files of a comparison are made of: its result, and the command that reproduces it.
    public typealias Content = (result: Result, command: String)

    /// `PREFIX.json`, with every figure of every pair, and `PREFIX.html`, for a person.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "comparison",
            kinds: [
                (".json", { $0.result.report.json }),
                (".html", { try $0.result.report.page(gallery: $0.result.gallery, command: $0.command).bytes() }),
            ], replaces: replaces)
    }
}
