import Compute
import Glibc
import Media
import PipelineSupport
import Testing

@testable import Evaluation
@testable import Pipeline
@testable import Reports

/// Finished batches side by side.
@Suite struct BatchComparisonTests {
    private let one: BatchFolder
    private let two: BatchFolder

    init() throws {
        one = try BatchFolder()
        two = try BatchFolder()
        try one.make(count: 5)
    }

    private func compare(threads: Int = 1, measuresTime: Bool = true) throws -> BatchComparison.Result {
        try BatchComparison([one.read(), two.read()], measuresTime: measuresTime)
            .run(workers: Workers(count: threads)) { _ in }
    }

    private func refusal() -> String {
        do {
            _ = try compare()
            return "nothing refused"
        } catch PipelineError.badData(let message) {
            return message
        } catch {
            return "another kind: \(error)"
        }
    }

    @Test func `each pair has the figures of its two files and manifests`() throws {
        try two.make(count: 5, shards: 2, picture: { $0 + 1 }) { BatchFolder.line($0, evaluations: 3) }
        let report = try compare().report
        #expect(
            report.images.map(\.index) == [0, 1, 2, 3, 4]
                && report.images.map(\.item.seed) == [100, 101, 102, 103, 104])
        for (index, pair) in report.rows[0].pairs.enumerated() {
            let (mine, theirs) = (BatchFolder.picture(index), BatchFolder.picture(index + 1))
            #expect(try pair.psnr == ImageMetrics.psnr(mine, theirs) && pair.ssim == ImageMetrics.ssim(mine, theirs))
            #expect(pair.evaluations == 3 && pair.seconds == 0.5 + Double(index) && pair.speedUp == 1)
        }
        let summary = report.rows[0].summary
        #expect(summary.evaluations == 3 && report.reference.evaluations == 4)
        #expect(summary.seconds == Quartiles([0.5, 1.5, 2.5, 3.5, 4.5]))
        #expect(summary.psnrQuartiles == Quartiles(report.rows[0].pairs.compactMap(\.psnr)))
        #expect(summary.psnr.worst == report.rows[0].pairs.compactMap(\.psnr).min())
    }

    @Test func `batches that were made under other loads claim no speed-up that their evaluations cannot give`() throws
    {
        try two.make(count: 5, line: { BatchFolder.line($0, evaluations: 2) })
        try two.remove("manifest-0-of-1.jsonl")
        for index in 0..<5 {
            try Manifest(shard: .whole, folder: two.path)
                .append(BatchFolder.line(index, evaluations: 2).of(two.bytes("\(index).png"), seconds: 0.01))
        }
        let report = try compare().report
        #expect(report.rows[0].pairs.allSatisfy { $0.speedUp == 2 && $0.seconds == 0.01 })
        #expect(report.legend.contains("than the evaluations can give"))
    }

    /// Two clips in a batch; the second frame of each is `steps` levels brighter than the first.
    private func makeClips(in folder: BatchFolder, steps: [UInt8]) throws {
        try BatchFolder.run(count: 2).keep(in: folder.path, replaces: true)
        for (index, step) in steps.enumerated() {
            let first = Image(width: 12, height: 12, channels: 3, pixels: (0..<432).map { UInt8($0 % 200) })
            let second = Image(width: 12, height: 12, channels: 3, pixels: first.pixels.map { $0 + step })
            let bytes = try PNGWriter.encode(Clip(step == 0 ? [first] : [first, second]))
            try folder.write(bytes, to: "\(index).png")
            try Manifest(shard: .whole, folder: folder.path).append(BatchFolder.line(index).of(bytes, seconds: 1))
        }
    }

    @Test func `clips are compared frame by frame, and by how much they change`() throws {
        try one.remove("manifest-0-of-1.jsonl")
        try makeClips(in: one, steps: [10, 40])
        try makeClips(in: two, steps: [12, 40])
        let report = try compare().report
        let pairs = report.rows[0].pairs
        // The first frames are the same, the second ones two levels apart.
        #expect(try #require(pairs[0].psnr).isNear(20 * log10(255 / 2)))
        #expect(try #require(pairs[0].flicker).isNear(0.2) && pairs[1].flicker == 0 && pairs[1].psnr == nil)
        #expect(report.rows[0].summary.flicker?.worst == pairs[0].flicker)
        #expect(report.table.plainText.contains("flicker %") && report.legend.contains("means over its frames"))
        #expect(try BatchComparisonReport(json: report.json, path: "x") == report)
        let looks = try BatchAnalysis([one.read()], workers: Workers(count: 1)) { _ in }.batches[0].images
        let frames = try one.read().picture(of: one.read().lines[0]).frames
        let energies = frames.map(ImageMetrics.highFrequencyEnergy)
        #expect(looks[0].highFrequencyEnergy.isNear((energies[0] + energies[1]) / 2))
    }

    @Test func `a clip beside a still is refused with both files`() throws {
        try one.remove("manifest-0-of-1.jsonl")
        try makeClips(in: one, steps: [10, 40])
        try makeClips(in: two, steps: [10, 0])
        #expect(refusal().contains("1.png and ") && refusal().contains("2 frames against 1 frames"))
    }

    @Test func `equal pictures are counted and in no mean`() throws {
        try two.make(count: 5, picture: { $0 == 3 ? 9 : $0 })
        let summary = try compare().report.rows[0].summary
        #expect(summary.psnr.identical == 4 && summary.psnr.mean == summary.psnr.worst && summary.psnr.mean != nil)
        #expect(summary.ssim?.mean ?? 0 < 1)
    }

    @Test func `threads and a second run change no byte, and time can be left out`() throws {
        try two.make(count: 5, picture: { $0 + 1 })
        #expect(try compare().report.json == compare(threads: 3).report.json)
        let report = try compare(measuresTime: false).report
        #expect(
            report.reference.seconds == nil
                && report.rows[0].pairs.allSatisfy { $0.seconds == nil && $0.speedUp == nil })
        #expect(!report.table.plainText.contains("s/image"))
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func `seconds have columns and a legend where any batch knows them`(oneKnows: Bool, twoKnows: Bool) throws {
        try two.make(count: 5)
        for (folder, knows) in [(one, oneKnows), (two, twoKnows)] where !knows {
            try folder.remove("manifest-0-of-1.jsonl")
            for index in 0..<5 {
                try Manifest(shard: .whole, folder: folder.path)
                    .append(BatchFolder.line(index).of(folder.bytes("\(index).png"), seconds: nil))
            }
        }
        let report = try compare().report
        #expect(report.table.plainText.contains("s/image") == (oneKnows || twoKnows))
        #expect(report.legend.contains("s/image") == (oneKnows || twoKnows))
    }

    @Test func `a report is read as it was written`() throws {
        try two.make(count: 5, picture: { $0 + 1 })
        let report = try compare().report
        #expect(try BatchComparisonReport(json: report.json, path: "x") == report)
        #expect(report.lines.count == 6)
        #expect(throws: PipelineError.self) { try BatchComparisonReport(json: Array("{}".utf8), path: "x") }
    }

    @Test func `a report tells how much of the list it compares, as text, JSON and HTML`() throws {
        try two.make(count: 5, shards: 2)
        let whole = try compare()
        #expect(whole.report.isWhole && whole.report.legend.hasPrefix("5 pairs of class and seed"))
        try one.remove("manifest-0-of-1.jsonl")
        try one.make(count: 5, shards: 2)
        try one.remove("manifest-0-of-2.jsonl")
        try two.remove("manifest-0-of-2.jsonl")
        let part = try compare()
        let report = part.report
        #expect(!report.isWhole && report.legend.hasPrefix("2 of 5 pairs of class and seed"))
        let page = try String(decoding: report.page(gallery: part.gallery, command: "x").bytes(), as: UTF8.self)
        #expect(page.contains("2 of 5 pairs"))
        #expect(String(decoding: report.lines[2], as: UTF8.self).contains(#""images":2,"listed":5,"#))
        let read = try BatchComparisonReport(json: report.json, path: "x")
        #expect(read.reference.count == 5 && read.rows[0].batch.count == 5 && read.extent == report.extent)
    }

    @Test func `the farthest pairs come first`() throws {
        try two.make(count: 5, picture: { $0 == 2 || $0 == 4 ? $0 + 7 : $0 })
        let report = try compare().report
        let farthest = report.farthest(3, in: report.rows[0]).map(\.image.index)
        #expect(Set(farthest.prefix(2)) == [2, 4] && farthest[2] == 0)
    }

    @Test func `batches of other seeds or classes are refused with the first difference`() throws {
        try two.make(count: 5, line: { $0 < 2 ? BatchFolder.line($0) : BatchFolder.line($0, seed: 7) })
        #expect(refusal().hasPrefix("image 2 has class 2 and seed 102 in "))
        #expect(refusal().contains("class 2 and seed 7 in "))
    }

    @Test(arguments: [3, 4, 6, 9])
    func `batches of other lengths are refused with the first image that one of them has not`(count: Int) throws {
        try two.make(count: count)
        #expect(refusal().hasPrefix("image \(min(count, 5)) is listed in "))
    }

    @Test func `pictures of other sizes are refused with both files`() throws {
        try two.make(count: 5)
        let small = try PNGWriter.encode(
            Image(width: 4, height: 4, channels: 3, pixels: [UInt8](repeating: 0, count: 48)))
        try two.write(small, to: "1.png")
        try two.remove("manifest-0-of-1.jsonl")
        for index in 0..<5 {
            try Manifest(shard: .whole, folder: two.path)
                .append(BatchFolder.line(index).of(two.bytes("\(index).png"), seconds: 1))
        }
        #expect(refusal().contains("1.png and ") && refusal().contains("12x12 RGB against 4x4 RGB"))
    }

    @Test func `one batch is nothing to compare`() throws {
        #expect {
            try BatchComparison([one.read()], measuresTime: true)
        } throws: { error in
            guard case PipelineError.usage = error else { return false }
            return true
        }
    }

    @Test func `an analysis tells of every image and class, and of what is missing`() throws {
        try two.make(count: 5, shards: 2)
        try two.remove("manifest-1-of-2.jsonl")
        let analysis = try BatchAnalysis([one.read(), two.read()], workers: Workers(count: 2)) { _ in }
        #expect(analysis.batches.map(\.missing) == [[], [1, 3]])
        #expect(analysis.batches.map(\.summary.evaluations) == [20, 12])
        #expect(analysis.batches[0].classes.map(\.classID) == [0, 1, 2])
        #expect(analysis.batches[0].classes.map(\.summary.images) == [2, 2, 1])
        for image in analysis.batches[0].images {
            let picture = BatchFolder.picture(image.line.index)
            #expect(image.highFrequencyEnergy == ImageMetrics.highFrequencyEnergy(picture))
            let levels = picture.pixels.map(Double.init)
            let mean = levels.reduce(0, +) / 432
            let variance = levels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 432
            #expect(abs(image.contrast - variance.squareRoot()) < 1e-9)
        }
        #expect(analysis.imagesCSV.split(separator: "\n").count == 9)
        #expect(analysis.classesCSV.split(separator: "\n").count == 7)
    }

    @Test func `a CSV cell with a comma, a quote or a line break is quoted`() {
        #expect(
            CSV.table(["a", "b"], [["tench, Tinca", "say \"owl\""], ["plain", "x\ny"]])
                == "a,b\n\"tench, Tinca\",\"say \"\"owl\"\"\"\nplain,\"x\ny\"\n")
    }
}

extension Double {
    /// Whether two figures agree but for rounding.
    fileprivate func isNear(_ other: Double) -> Bool { abs(self - other) < 1e-9 }
}
