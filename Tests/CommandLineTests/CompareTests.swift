import Evaluation
import Foundation
import Pipeline
import TestSupport
import Testing

/// `omnicache compare`: its table, its files, and what can be asked for wrongly.
@Suite struct CompareTests {
    private static let names = ["comparison.html", "comparison.json"]

    /// Compares on the tiny model: two images, eight steps, half the budget, unless the arguments say otherwise.
    private func compare(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(comparing(place, arguments)).wait()
    }

    private func comparing(_ place: Workplace, _ arguments: [String]) -> [String] {
        let defaults = [
            ("--steps", "8"), ("--count", "2"), ("--budgets", "0.5"), ("--strategies", "uniform+taylor:2"),
            ("--threads", "1"),
        ].flatMap { name, value in arguments.contains(name) ? [] : [name, value] }
        return ["compare", "--model", place.modelPath] + defaults + arguments
    }

    @Test func `the table goes to standard output, what its columns mean to standard error`() throws {
        let result = try compare(Workplace())
        #expect(result.status == 0)
        let lines = result.outputLines
        #expect(lines.count == 7, "\(result.outputText)")
        #expect(lines[3] == "budget 0.5: at most 8 of 16 evaluations")
        #expect(
            lines[2...].filter { !$0.hasPrefix("budget") }.map { $0.split(separator: " ")[0] }
                == ["uncached", "uniform+taylor:2", "fewer-steps", "fewer-steps:dpm++2m"])
        // Numbers end where the numbers above them end.
        let ends = lines[4...6].map { $0.distance(from: $0.startIndex, to: $0.endIndex) }
        #expect(Set(ends).count == 1)
        #expect(
            result.errorText.contains("2 pairs")
                && result.errorText.contains("5th pct: one image in twenty is below it"))
        #expect(try compare(Workplace(), "-q").errorText == "")
    }

    @Test func `as JSON every row is a line`() throws {
        let result = try compare(Workplace(), "--log", "json", "-q", "--budgets", "0.5,0.1")
        result.expectSuccess()
        let rows = try result.outputLines.map {
            try JSONDecoder().decode(ComparisonReport.Row.self, from: Data($0.utf8))
        }
        #expect(rows.map(\.budget.share) == [0.5, 0.5, 0.5, 0.1, 0.1, 0.1])
        #expect(rows[..<3].allSatisfy { $0.summary?.speedUp != nil && $0.evaluationsNeeded == nil })
        #expect(rows[3...].allSatisfy { $0.summary == nil && $0.evaluationsNeeded == 2 })
    }

    @Test func `without timing the same command makes the same bytes, whatever the threads`() throws {
        let place = try Workplace()
        let one = try compare(place, "--no-timing", "-q", "-o", "a")
        one.expectSuccess()
        let two = try compare(place, "--no-timing", "-q", "-o", "b", "--threads", "3")
        two.expectSuccess()
        #expect(try place.bytes("a.json") == place.bytes("b.json"))
        #expect(one.outputLines.dropLast(2) == two.outputLines.dropLast(2))
        #expect(!one.outputText.contains("speed-up"))
    }

    @Test func `the files are written and told`() throws {
        let place = try Workplace()
        let result = try compare(place, "-o", "comparison", "-q")
        result.expectSuccess()
        #expect(result.outputLines.suffix(2) == ["comparison.json", "comparison.html"])
        #expect(place.files == Self.names)
        let report = try ComparisonReport(json: [UInt8](place.bytes("comparison.json")), path: "comparison.json")
        #expect(report.items.map(\.seed) == [1000, 1001] && report.items.map(\.classID) == [0, 1])
        let page = String(decoding: try place.bytes("comparison.html"), as: UTF8.self)
        #expect(page.contains("omnicache compare --model"))
    }

    @Test(arguments: Self.names)
    func `a file in the way is refused with 73, and replaced by force`(name: String) throws {
        let place = try Workplace()
        try place.write("mine".utf8, to: name)
        try compare(place, "-o", "comparison").expectFailure(73, name, "--force")
        #expect(place.files == [name])
        try compare(place, "-o", "comparison", "--force", "-q").expectSuccess()
        #expect(place.files == Self.names)
        #expect(try place.bytes(name).count > 4)
    }

    @Test(arguments: [
        (["--strategies", "best"], "smoothcache"), (["--strategies", ""], "fewer-steps"), (["--budgets", "2"], "2.0"),
        (["--budgets", "0.5,"], "''"), (["--budgets", "half"], "half"), (["--count", "0"], "--count 0"),
        (["--seed", "4294967290"], "4294967290"), (["--class", "cat"], "'cat'"), (["-o", "folder/"], "--output"),
    ])
    func `a request that makes no sense is refused with 64`(options: [String], text: String) throws {
        let place = try Workplace()
        try place.start(comparing(place, options)).wait().expectFailure(64, text)
        #expect(place.files.isEmpty)
    }

    @Test func `a model without pictures is refused with 64`() throws {
        try compare(Workplace(model: TinyModel(channels: 4))).expectFailure(64, "decoder")
    }

    @Test func `a dry run tells rows and cost, and makes nothing`() throws {
        let place = try Workplace()
        let text = try compare(place, "--dry-run", "--strategies", "all", "-o", "comparison")
        text.expectSuccess()
        #expect(text.outputLines[0] == "default at 0.5: at most 8 of 16 evaluations per image")
        let json = try compare(place, "--dry-run", "--log", "json")
        json.expectSuccess()
        // Uncached, and three strategies at half: 16 + 3 x 8 for each of two images.
        #expect(json.outputText.contains(#""evaluations":80,"#) && json.outputText.contains(#""images":2"#))
        #expect(place.files.isEmpty)
    }

    @Test func `a signal ends a comparison with 75 and leaves nothing`() throws {
        let place = try Workplace()
        let command = try place.start(
            comparing(place, ["--steps", "1000", "--count", "50", "-v", "-o", "comparison"]))
        try wait { command.errorText.contains("image 1 of 50, uncached") }
        command.send(SIGINT)
        let stopped = try command.wait()
        #expect(stopped.status == 75 && stopped.output.isEmpty)
        #expect(stopped.errorText.contains("of 50 images are done; run the same command again to start over"))
        #expect(place.files.isEmpty)
    }

    @Test func `a strategy that needs a calibration gets one`() throws {
        let result = try compare(Workplace(), "--strategies", "path+steering,curvature+omnicache", "--steps", "9")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.outputLines.contains { $0.hasPrefix("path+steering ") })
    }

    @Test(arguments: [[], ["--seed", "7"], ["--class", "owl"], ["--class", "owl,red fox", "--seed", "3"]])
    func `without a count there are at least 16 images`(options: [String]) throws {
        let place = try Workplace()
        let result = try place.start(
            ["compare", "--model", place.modelPath, "--steps", "8", "--dry-run", "--log", "json"] + options
        ).wait()
        result.expectSuccess()
        let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        #expect(object["images"] as? Int ?? 0 >= 16)
    }

    @Test func `an interval stands beside each mean, in text, JSON and HTML`() throws {
        let place = try Workplace()
        let result = try compare(place, "--count", "3", "-o", "comparison")
        #expect(result.status == 0)
        // The mean PSNR; two percentiles and the flips.
        let lines = result.outputLines.filter { $0.hasPrefix("uniform+taylor:2 ") || $0.hasPrefix("fewer-steps") }
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains("±") }, "\(result.outputText)")
        #expect(lines.allSatisfy { $0.count { $0 == "–" } >= 3 }, "\(result.outputText)")
        #expect(result.errorText.contains("95 %"))
        let report = try ComparisonReport(json: [UInt8](place.bytes("comparison.json")), path: "comparison.json")
        for row in report.rows {
            let summary = try #require(row.summary)
            let (mean, interval) = (try #require(summary.psnr.mean), try #require(summary.psnr.interval))
            #expect(interval.low < mean && mean < interval.high)
            let flips = try #require(summary.psnr.flips)
            #expect(
                flips.low <= flips.share && flips.share <= flips.high && flips.low < flips.high
                    && summary.psnr.median != nil)
            #expect((summary.psnrDifference == nil) == (row.strategy == report.reference))
        }
        #expect(String(decoding: try place.bytes("comparison.html"), as: UTF8.self).contains(" ±"))
    }

    @Test func `measures of perception are in JSON and HTML, and nil where pictures are too small`() throws {
        for (size, expected) in [(8, false), (16, true)] {
            var model = TinyModel()
            model.config["input_size"] = size
            let place = try Workplace(model: model)
            try compare(place, "-o", "comparison", "-q").expectSuccess()
            let report = try ComparisonReport(json: [UInt8](place.bytes("comparison.json")), path: "comparison.json")
            for row in report.rows {
                let summary = try #require(row.summary)
                #expect((summary.multiScaleSSIM != nil) == expected && (summary.haarPSI != nil) == expected)
                #expect(
                    row.pairs.allSatisfy { ($0.multiScaleSSIM != nil) == expected && ($0.haarPSI != nil) == expected })
            }
            let page = String(decoding: try place.bytes("comparison.html"), as: UTF8.self)
            #expect(page.contains(">HaarPSI</th>") == expected && page.contains(">MS-SSIM</th>") == expected)
            #expect(
                page.contains("uniform+taylor:2 has the higher PSNR")
                    && page.contains("5th percentile over evaluations"))
        }
    }
}
