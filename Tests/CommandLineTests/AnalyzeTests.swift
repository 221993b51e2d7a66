import Evaluation
import Foundation
import Pipeline
import TestSupport
import Testing

/// `omnicache analyze`: its files, and what can be asked for wrongly.
@Suite struct AnalyzeTests {
    private static let written = [
        ".json", "-steps.csv", "-blocks.csv", "-turning.svg", "-curvature.svg", "-path.svg", "-blocks.svg",
        "-noise.svg",
    ].map { "analysis" + $0 }
    private static let names = written.sorted()

    /// Analyses the tiny model: two images, six steps, one thread, unless the arguments say otherwise.
    private func analyze(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        let defaults = [("--steps", "6"), ("--seed", "1"), ("--count", "2"), ("--class", "owl")].flatMap {
            name, value in
            arguments.contains(name) ? [] : [name, value]
        }
        return try place.start(
            ["analyze", "--model", place.modelPath, "--threads", "1"] + defaults + arguments
        ).wait()
    }

    private func report(_ place: Workplace, _ name: String = "analysis.json") throws -> TrajectoryReport {
        try TrajectoryReport(json: [UInt8](place.bytes(name)), path: name)
    }

    @Test func `the files are written, and told one path a line`() throws {
        let place = try Workplace()
        let result = try analyze(place)
        result.expectSuccess()
        #expect(result.outputLines == Self.written)
        #expect(place.files == Self.names)
        let report = try report(place)
        #expect(report.calls.count == 6 && report.items.map(\.seed) == [1, 2])
        #expect(try place.bytes("analysis-steps.csv") == Data(report.stepsCSV.utf8))
        #expect(try place.bytes("analysis-blocks.csv") == Data(report.blocksCSV.utf8))
    }

    @Test func `the same command makes the same bytes, whatever the threads`() throws {
        let place = try Workplace()
        try analyze(place, "-o", "a").expectSuccess()
        try place.run(
            "analyze", "--model", place.modelPath, "--steps", "6", "--seed", "1", "--count", "2", "--class", "owl",
            "--threads", "3", "-o", "b"
        ).expectSuccess()
        for suffix in Self.written.map({ $0.dropFirst("analysis".count) }) {
            #expect(try place.bytes("a\(suffix)") == place.bytes("b\(suffix)"))
        }
    }

    @Test func `without a count four images are looked at, and that is said`() throws {
        let place = try Workplace()
        let result = try place.run(
            "analyze", "--model", place.modelPath, "--steps", "2", "--seed", "7", "--threads", "1")
        #expect(
            result.status == 0
                && result.errorText == "4 images of random classes; --count sets another number\n")
        #expect(try report(place).items.map(\.seed) == [7, 8, 9, 10])
    }

    @Test func `a seed that was not given is told`() throws {
        let place = try Workplace()
        let result = try place.run("analyze", "--model", place.modelPath, "--steps", "2", "--count", "1")
        let seed = try report(place).items[0].seed
        #expect(result.status == 0 && result.errorText == "seed \(seed)\n")
    }

    @Test(arguments: Self.names)
    func `a file in the way is refused with 73, and replaced by force`(name: String) throws {
        let place = try Workplace()
        try place.write("mine".utf8, to: name)
        try analyze(place).expectFailure(73, name, "--force")
        #expect(place.files == [name])
        try analyze(place, "--force").expectSuccess()
        #expect(place.files == Self.names)
        #expect(try place.bytes(name).count > 4)
    }

    @Test(arguments: ["", "-", "folder/"])
    func `an output that is no prefix is refused with 64`(prefix: String) throws {
        let place = try Workplace()
        try analyze(place, "--output=\(prefix)").expectFailure(64, "--output")
        #expect(place.files.isEmpty)
    }

    @Test func `a place where no file can be made is refused with 73`() throws {
        let place = try Workplace()
        try analyze(place, "-o", "missing/a").expectFailure(73, "missing/a.json")
        #expect(place.files.isEmpty)
    }

    @Test func `one image has no spread and no number that is not one`() throws {
        let place = try Workplace()
        try analyze(place, "--count", "1").expectSuccess()
        for name in Self.names {
            let text = String(decoding: try place.bytes(name), as: UTF8.self)
            #expect(!text.contains("nan") && !text.contains("inf") && !text.contains("standardDeviation"))
        }
    }

    @Test func `a model that cannot be guided has one branch`() throws {
        let place = try Workplace(model: TinyModel(hasNullClass: false))
        try analyze(place).expectSuccess()
        let report = try report(place)
        #expect(report.settings.guidanceScale == 1)
        #expect(report.calls.allSatisfy { $0.conditional == nil && $0.unconditional == nil })
    }

    @Test func `a model whose latents are not pixels can be analysed`() throws {
        let place = try Workplace(model: TinyModel(channels: 4))
        try analyze(place).expectSuccess()
        #expect(try report(place).shape == [4, 4, 4])
    }

    @Test(arguments: ["heun", "ddpm", "dpm++2m", "euler"])
    func `every sampler can be analysed`(sampler: String) throws {
        let place = try Workplace()
        try analyze(place, "--sampler", sampler).expectSuccess()
        #expect(try report(place).calls.count == (sampler == "heun" ? 11 : 6))
    }

    @Test(arguments: [
        (["--steps", "0"], "steps is 0"), (["--count", "0"], "--count 0"), (["--class", "cat"], "'cat'"),
        (["--threads", "0"], "--threads 0"), (["--cfg-scale", "nan"], "guidance scale"),
    ])
    func `a request that makes no sense is refused with 64`(options: [String], text: String) throws {
        let place = try Workplace()
        try place.start(["analyze", "--model", place.modelPath] + options).wait().expectFailure(64, text)
        #expect(place.files.isEmpty)
    }

    @Test func `a dry run tells the cost and the files, and makes none`() throws {
        let place = try Workplace()
        let result = try analyze(place, "--dry-run", "--log", "json")
        result.expectSuccess()
        #expect(result.outputText.contains(#""evaluations":12"#) && result.outputText.contains("analysis-blocks.csv"))
        #expect(place.files.isEmpty)
    }

    /// What the cells under a picture say, row by row.
    private func marks(_ place: Workplace, _ name: String) throws -> [String] {
        try XMLNode.parse(String(decoding: place.bytes(name), as: UTF8.self)).all("g")
            .filter { $0.attributes["class"] == "plan-row" }
            .map { row in
                row.all("rect").compactMap(\.tip).map { $0.hasSuffix("full") ? "F" : "R" }.joined()
            }
    }

    @Test(arguments: ["turning", "curvature", "blocks", "noise"])
    func `a picture marks the plan that is asked for, and none without`(picture: String) throws {
        let place = try Workplace()
        try analyze(place, "--mask", "FFRFRR/FRRFFR").expectSuccess()
        try analyze(place, "-o", "bare").expectSuccess()
        #expect(try marks(place, "analysis-\(picture).svg") == ["FFRFRR", "FRRFFR"])
        #expect(try marks(place, "bare-\(picture).svg").isEmpty)
        // The runs themselves reuse nothing.
        #expect(try place.bytes("analysis.json") == place.bytes("bare.json"))
    }

    @Test func `the path marks the plan's steps`() throws {
        let place = try Workplace()
        try analyze(place, "--mask", "FFRFRR").expectSuccess()
        let tips = try XMLNode.parse(String(decoding: place.bytes("analysis-path.svg"), as: UTF8.self))
            .all("circle").compactMap(\.tip)
        #expect(tips.count == 18 && tips.filter { $0.hasSuffix("reused") }.count == 9)
    }

    @Test func `a plan's file and the options that made it mark the same`() throws {
        let place = try Workplace()
        let options = ["--model", place.modelPath, "--steps", "8", "--budget", "0.5", "--planner", "uniform"]
        try place.start(["plan", "-o", "p.json", "--forecaster", "taylor:1"] + options).wait().expectSuccess()
        try analyze(place, "--steps", "8", "--plan", "p.json", "-o", "a").expectSuccess()
        try analyze(
            place, "--steps", "8", "--budget", "0.5", "--planner", "uniform", "--forecaster", "taylor:1", "-o", "b"
        ).expectSuccess()
        #expect(try marks(place, "a-turning.svg").first?.filter { $0 == "F" }.count == 4)
        for name in ["turning", "curvature", "path", "blocks", "noise"] {
            #expect(try place.bytes("a-\(name).svg") == place.bytes("b-\(name).svg"))
        }
    }

    @Test func `a plan for another run is refused with 65, one beside options with 64`() throws {
        let place = try Workplace()
        try place.run(
            "plan", "--model", place.modelPath, "--steps", "8", "--mask", "FRFRFRFR", "--forecaster", "hold", "-o",
            "p.json"
        ).expectSuccess()
        try analyze(place, "--plan", "p.json").expectFailure(65, "p.json", "8 steps")
        try analyze(place, "--plan", "p.json", "--budget", "0.5").expectFailure(64, "--plan", "--budget")
        #expect(place.files == ["p.json"])
    }

    @Test func `a signal ends an analysis with 75 and leaves nothing`() throws {
        let place = try Workplace()
        let command = try place.start([
            "analyze", "--model", place.modelPath, "--threads", "1", "--steps", "1000", "--count", "50", "--seed", "1",
            "-v",
        ])
        try wait { command.errorText.contains("step 5 of 1000") }
        command.send(SIGINT)
        let stopped = try command.wait()
        #expect(stopped.status == 75 && stopped.output.isEmpty)
        #expect(stopped.errorText.contains("of 50 images are done; run the same command again to start over"))
        #expect(place.files.isEmpty)
    }
}
