import Evaluation
import Foundation
import Pipeline
import TestSupport
import Testing

/// `omnicache compare` and `omnicache analyze` on finished batches.
@Suite struct FinishedBatchTests {
    private let place: Workplace

    /// A model of pictures that are large enough for SSIM.
    init() throws {
        var model = TinyModel()
        model.config["input_size"] = 12
        place = try Workplace(model: model)
        for (folder, options) in [
            ("full", ["--manifest"]), ("half", ["--shard", "0/2"]), ("half", ["--shard", "1/2"]),
        ] {
            try FileManager.default.createDirectory(
                atPath: "\(place.path)/\(folder)", withIntermediateDirectories: true)
            try make(folder, options)
        }
    }

    private func make(_ folder: String, _ options: [String], count: Int = 5, seed: Int = 3) throws {
        let steps = folder == "half" ? "3" : "6"
        try place.start(
            place.sampling(
                ["--steps", steps, "--seed", "\(seed)", "--count", "\(count)", "-o", "\(folder)/{index}.png"] + options)
        ).wait().expectSuccess()
    }

    /// A command without any model to sample from.
    private func run(_ arguments: String..., threads: String = "1") throws -> Command.Result {
        let list = (arguments + ["--threads", threads]).joined(separator: " ")
        return try place.shell("OMNICACHE_MODELS=/nowhere exec \"$OMNICACHE\" \(list)")
    }

    @Test(arguments: [
        "full half", "full/ half/manifest-0-of-2.jsonl half/manifest-1-of-2.jsonl", "full/manifest-0-of-1.jsonl half",
    ])
    func `two batches are compared by directories or manifests, without any model`(batches: String) throws {
        let result = try run("compare", batches, "-o", "report")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.outputLines.suffix(2) == ["report.json", "report.html"])
        let rows = result.outputLines.dropLast(2).suffix(2)
        #expect(rows.map { $0.split(separator: " ")[0] } == ["full", "half"])
        let report = try BatchComparisonReport(json: [UInt8](place.bytes("report.json")), path: "report.json")
        #expect(report.images.map(\.item.seed) == [3, 4, 5, 6, 7])
        #expect(report.reference.evaluations == 12 && report.rows[0].summary.evaluations == 6)
        #expect(report.rows[0].pairs.allSatisfy { $0.psnr ?? 0 > 0 && $0.ssim != nil && $0.speedUp ?? 0 > 0 })
        let page = String(decoding: try place.bytes("report.html"), as: UTF8.self)
        #expect(page.contains("omnicache compare full") && page.components(separatedBy: "<img").count == 9)
    }

    @Test func `as JSON every pair is a line, then a line sums up`() throws {
        let result = try run("compare", "full", "half", "--log", "json")
        result.expectSuccess()
        #expect(result.outputLines.count == 6)
        #expect(result.outputLines[..<5].allSatisfy { $0.contains(#""pair":{"#) && $0.contains(#""seed":"#) })
        #expect(result.outputLines[5].contains(#""images":5,"listed":5,"reference":"full","summary":{"#))
    }

    @Test func `whoever compares a part of the list is told so`() throws {
        #expect(try place.shell("cp -R half copy").status == 0)
        let part = "half/manifest-0-of-2.jsonl copy/manifest-0-of-2.jsonl"
        #expect(try run("compare", part).errorText.contains("3 of 5 pairs are compared"))
        let result = try run("compare", part, "--log", "json")
        #expect(result.errorText.contains("3 of 5 pairs are compared"))
        #expect(result.outputLines[3].contains(#""images":3,"listed":5,"#))
        #expect(!(try run("compare", "half copy").errorText.contains("are compared")))
    }

    @Test(arguments: ["compare full", "analyze"])
    func `a count that no batch has is refused before it is used`(command: String) throws {
        for count in ["-1", "9000000000000000000"] {
            #expect(
                try place.shell(
                    "sed 's/\"count\" : [0-9-]*/\"count\" : \(count)/' half/run.json >r && cp r half/run.json"
                )
                .status == 0)
            try run(command, "half").expectFailure(65, "half/run.json", count)
        }
    }

    @Test func `a batch compared with itself by another name is the same in every picture`() throws {
        #expect(try place.shell("cp -R full copy").status == 0)
        let result = try run("compare", "full", "copy", "--no-timing", "-q")
        result.expectSuccess()
        #expect(result.outputLines[3].contains("∞") && !result.outputText.contains("s/image"))
        #expect(try run("compare", "full", "copy", "--no-timing", "-q", threads: "3").output == result.output)
    }

    @Test func `batches of other lists are refused with 65 and the first difference`() throws {
        for (name, count, seed) in [("longer", 6, 3), ("later", 5, 4)] {
            try FileManager.default.createDirectory(atPath: "\(place.path)/\(name)", withIntermediateDirectories: true)
            try make(name, ["--manifest"], count: count, seed: seed)
        }
        try run("compare", "full", "longer").expectFailure(65, "image 5 is listed in longer and not in full")
        try run("compare", "full", "later").expectFailure(65, "image 0 has class", "seed 3 in full", "seed 4 in later")
        try run("compare", "full", "half/manifest-1-of-2.jsonl").expectFailure(65, "image 0 is listed in full")
    }

    @Test(arguments: ["compare full", "analyze"])
    func `images and manifests that are missing, changed or damaged are one line each`(command: String) throws {
        try run(command, "nowhere").expectFailure(66, "nowhere")
        try place.write(place.bytes("half/000001.png").dropLast(), to: "half/000001.png")
        try run(command, "half").expectFailure(65, "half/000001.png", "SHA-256")
        try FileManager.default.removeItem(atPath: "\(place.path)/half/000001.png")
        try run(command, "half").expectFailure(66, "half/000001.png")
        try place.write(place.bytes("half/manifest-1-of-2.jsonl").dropLast(9), to: "half/manifest-1-of-2.jsonl")
        try run(command, "half").expectFailure(65, "half/manifest-1-of-2.jsonl", "line 2")
        try FileManager.default.removeItem(atPath: "\(place.path)/half/run.json")
        try run(command, "half").expectFailure(66, "half/run.json")
        #expect(place.files.filter { $0.contains("analysis") }.isEmpty)
    }

    @Test(arguments: ["--steps 4", "--class owl", "--model .", "--seed 1", "--count 2"])
    func `options of sampling have no place beside batches`(option: String) throws {
        for command in ["compare full half", "analyze full"] {
            try run(command, option).expectFailure(64, "drop \(option.split(separator: " ")[0])")
        }
    }

    @Test func `one batch is nothing to compare, and strategies and plans belong to sampling`() throws {
        try run("compare", "full", "full/manifest-0-of-1.jsonl").expectFailure(64, "one batch")
        try run("compare", "full", "half", "--budgets", "0.5").expectFailure(64, "drop --budgets")
        try run("analyze", "full", "--budget", "0.5").expectFailure(64, "drop --budget")
    }

    @Test func `an analysis writes every image and class, and tells what is missing`() throws {
        let result = try run("analyze", "full", "half/manifest-0-of-2.jsonl", "-o", "a")
        #expect(result.status == 0 && result.outputLines == ["a.json", "a-images.csv", "a-classes.csv"])
        let analysis = try BatchAnalysis(json: [UInt8](place.bytes("a.json")), path: "a.json")
        #expect(analysis.batches.map(\.name) == ["full", "half"])
        #expect(analysis.batches.map(\.missing) == [[], [1, 3]])
        #expect(analysis.batches[0].images.allSatisfy { $0.line.seconds ?? 0 > 0 && $0.contrast > 0 })
        let rows = String(decoding: try place.bytes("a-images.csv"), as: UTF8.self).split(separator: "\n")
        #expect(rows.count == 9 && rows[1].hasPrefix("full,0,000000.png,"))
        #expect(result.errorText.contains("missing"))
        try run("analyze", "full", "-o", "a").expectFailure(73, "a.json", "--force")
        try run("analyze", "full", "-o", "a", "--force", "-q").expectSuccess()
    }

    @Test func `a dry run tells what would be read, and makes nothing`() throws {
        let before = place.files
        for command in ["compare full half -o r", "analyze full half -o r"] {
            let result = try run(command, "--dry-run")
            result.expectSuccess()
            #expect(result.outputLines.prefix(2) == ["full: 5 images to read", "half: 5 images to read"])
            #expect(result.outputLines.contains("r.json") && place.files == before)
        }
    }
}
