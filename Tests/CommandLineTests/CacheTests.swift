import Foundation
import Media
import Reports
import Testing

/// Reuse from the command line: what is spent, what is refused, and what is told.
@Suite struct CacheTests {
    /// The pixels of a picture.
    private func pixels(_ place: Workplace, _ name: String) throws -> [UInt8] {
        try PNGReader.decode([UInt8](place.bytes(name))).pixels
    }

    private func object(_ result: Command.Result) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    }

    private static let image = ["--seed", "3", "--class", "owl", "--steps", "10"]

    private func sample(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(place.sampling(Self.image + Self.uncalibrated(arguments))).wait()
    }

    /// The arguments with a planner that needs no calibration, where a budget comes without one.
    private static func uncalibrated(_ arguments: [String]) -> [String] {
        let plans =
            arguments.contains("--budget") && !["--planner", "--mask", "--plan"].contains(where: arguments.contains)
        return arguments + (plans ? ["--planner", "uniform"] : [])
    }

    @Test func `a budget of 1 makes the same file, byte for byte`() throws {
        let place = try Workplace()
        try sample(place, "-o", "full.png").expectSuccess()
        try sample(place, "--budget", "1", "-o", "one.png").expectSuccess()
        try sample(place, "--mask", "1111111111", "-o", "mask.png").expectSuccess()
        #expect(try place.bytes("one.png") == place.bytes("full.png"))
        #expect(try place.bytes("mask.png") == place.bytes("full.png"))
    }

    @Test(arguments: ["hold", "taylor:1", "taylor:4:x0:step", "hermite"])
    func `a budget of a half spends half of the evaluations and says so`(forecaster: String) throws {
        let place = try Workplace()
        try sample(place, "-o", "full.png").expectSuccess()
        let result = try sample(
            place, "--budget", "0.5", "--forecaster", forecaster, "--log", "json", "-o", "half.png")
        #expect(result.status == 0)
        let event = try object(result)
        #expect(event["evaluations"] as? Int == 10 && event["evaluationsFull"] as? Int == 20)
        #expect(event["seconds"] is Double)
        #expect(try pixels(place, "half.png") != pixels(place, "full.png"))
    }

    @Test
    func `on the embedded model three tenths of the evaluations make a similar image, and a forecast beats holding`()
        throws
    {
        let place = try Workplace()
        func draw(_ name: String, _ arguments: String...) throws -> Image {
            let result = try place.start(
                ["sample", "--seed", "3", "--class", "5", "--steps", "30", "-o", name] + arguments
            ).wait()
            #expect(result.status == 0, "\(result.errorText)")
            return try PNGReader.decode([UInt8](place.bytes(name)))
        }
        let full = try draw("full.png")
        let held = try ImageMetrics.psnr(draw("hold.png", "--budget", "0.3", "--forecaster", "hold"), full)
        let forecast = try ImageMetrics.psnr(draw("default.png", "--budget", "0.3"), full)
        #expect(held > 25 && forecast > held + 3, "PSNR: hold \(held) dB, default \(forecast) dB")
    }

    @Test func `an image with reuse tells its plan, and is made again from it`() throws {
        let place = try Workplace()
        let first = try sample(place, "--budget", "0.4", "-o", "a.png")
        #expect(first.errorText.hasPrefix("8 of 20 evaluations, uniform planner, taylor:2 forecaster, "))
        #expect(first.outputText == "a.png\n")
        let info = try place.run("info", "a.png").outputText
        #expect(info.contains("8 of 20 evaluations, uniform planner, taylor:2 forecaster, budget 0.4\n"))
        #expect(info.contains("conditional    █··█··█··█\nunconditional  █··█··█··█\n"))
        #expect(try place.sample("--like", "a.png", "-o", "b.png").status == 0)
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        #expect(try place.sample("--like", "a.png", "--budget", "1", "-o", "c.png").status == 0)
        try sample(place, "-o", "full.png").expectSuccess()
        #expect(try place.bytes("c.png") == place.bytes("full.png"))
        try place.sample("--like", "a.png", "--steps", "12", "-o", "d.png").expectFailure(64, "--like", "--budget")
        #expect(try place.sample("--like", "a.png", "--forecaster", "hold", "-o", "e.png").status == 0)
        #expect(try place.run("info", "e.png").outputText.contains("8 of 20 evaluations, uniform planner, hold"))
    }

    @Test func `a file that was made with another plan is in the way, the same one is done`() throws {
        let place = try Workplace()
        #expect(try sample(place, "--budget", "0.5", "-o", "a.png").status == 0)
        try sample(place, "--budget", "0.5", "-o", "a.png").expectSuccess()
        try sample(place, "--budget", "0.6", "-o", "a.png").expectFailure(73, "a.png")
        try sample(place, "-o", "a.png").expectFailure(73, "a.png")
    }

    @Test func `each branch has its own decisions`() throws {
        let place = try Workplace()
        let result = try sample(place, "--mask", "FFRFRFRFRF/FRRFRRFRRF", "--dry-run", "--log", "json")
        let plan = try #require(try object(result)["plan"] as? [String: String])
        #expect(plan == ["conditional": "FFRFRFRFRF", "unconditional": "FRRFRRFRRF"])
        let single = try sample(place, "--mask", "FRRFRRFRRF", "--cfg-scale", "1", "--dry-run", "--log", "json")
        #expect(try object(single)["evaluations"] as? Int == 4)
        #expect(try object(single)["plan"] as? [String: String] == ["conditional": "FRRFRRFRRF"])
    }

    @Test func `a dry run draws the plan and its cost, and makes nothing`() throws {
        let place = try Workplace()
        let text = try sample(place, "--budget", "0.5", "--dry-run")
        text.expectSuccess()
        #expect(text.outputText.contains("10 of 20 evaluations per image\nconditional    █·█··█·█·█\nunconditional  █"))
        let json = try object(try sample(place, "--budget", "0.5", "--dry-run", "--log", "json"))
        #expect(json["evaluations"] as? Int == 10 && json["evaluationsFull"] as? Int == 20)
        #expect(json["planner"] as? String == "uniform" && json["forecaster"] as? String == "taylor:2")
        #expect(place.files.isEmpty)
    }

    @Test func `reuse stays within its window and cap`() throws {
        let place = try Workplace()
        func rows(_ arguments: String...) throws -> String {
            let result = try place.start(
                place.sampling(Self.image + ["--dry-run", "--log", "json", "--planner", "uniform"] + arguments)
            ).wait()
            return try #require((try object(result)["plan"] as? [String: String])?["conditional"])
        }
        #expect(try rows("--budget", "0.7", "--reuse-window", "0.5:1").hasPrefix("FFFFF"))
        #expect(try rows("--budget", "0.8", "--reuse-window", "0:0.4").hasSuffix("FFFFFF"))
        #expect(try !rows("--budget", "0.5", "--max-reuse-run", "1").contains("RR"))
        try sample(place, "--budget", "0.4", "--max-reuse-run", "1").expectFailure(64, "10 of 20", "0.5")
    }

    @Test(arguments: [
        (["--budget", "0"], ["budget 0"]), (["--budget", "1.5"], ["budget 1.5"]),
        (["--budget", "nan"], ["budget nan"]),
        (["--budget", "-0.5"], ["budget -0.5"]), (["--budget", "half"], ["--budget"]),
        (["--budget", "0.01", "--planner", "uniform"], ["2 of 20", "0.1"]),
        (["--mask", "101"], ["3 decisions", "10"]), (["--mask", "0111111111"], ["first"]), (["--mask", "1x"], ["'x'"]),
        (["--mask", "1010101010", "--budget", "0.4"], ["10 evaluations", "8"]),
        (["--mask", "1010101010", "--planner", "uniform"], ["--mask", "--planner"]),
        (["--planner", "uniform"], ["--planner", "--budget"]), (["--planner", "best"], ["best", "uniform"]),
        (["--forecaster", "hold"], ["--budget"]), (["--budget", "0.5", "--forecaster", "magic"], ["magic", "taylor"]),
        (["--budget", "0.5", "--forecaster", "taylor:9"], ["'9'"]),
        (["--budget", "0.5", "--reuse-window", "0.9:0.2"], ["0.9:0.2"]),
        (["--budget", "0.5", "--reuse-window", "0:2"], ["0.0:2.0"]),
        (["--budget", "0.5", "--reuse-window", "x"], ["x"]),
        (["--budget", "0.5", "--reuse-window", "nan:1"], ["nan"]),
        (["--budget", "0.5", "--max-reuse-run", "0"], ["at most 0"]),
    ])
    func `a request for reuse that makes no sense is refused with 64`(options: [String], texts: [String]) throws {
        let place = try Workplace()
        let result = try place.start(place.sampling(Self.image + options)).wait()
        result.expectFailure(64)
        for text in texts { #expect(result.errorText.contains(text), "'\(text)' in: \(result.errorText)") }
        #expect(place.files.isEmpty)
    }

    @Test func `a run of few steps is warned of once`() throws {
        let place = try Workplace()
        let few = try place.sample(
            "--steps", "7", "--count", "2", "--class", "0", "--seed", "1", "--budget", "0.5")
        #expect(few.status == 0)
        #expect(few.errorLines.filter { $0.hasPrefix("warning: ") }.count == 1)
        let many = try place.sample("--steps", "8", "--class", "0", "--seed", "1", "--budget", "0.5", "-o", "8.png")
        #expect(!many.errorText.contains("warning"))
        try place.sample("--steps", "7", "--class", "0", "--seed", "1", "-o", "7.png").expectSuccess()
    }

    // MARK: - Plan files

    private func plan(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(["plan", "--model", place.modelPath, "--steps", "10"] + Self.uncalibrated(arguments)).wait()
    }

    @Test func `a plan's file makes the image that its options make`() throws {
        let place = try Workplace()
        let made = try plan(place, "--budget", "0.5", "--cfg-scale", "2.5", "-o", "half.json")
        made.expectSuccess()
        #expect(
            made.outputLines == [
                "conditional    █·█··█·█·█", "unconditional  █·█··█·█·█",
                "10 of 20 evaluations, uniform planner, taylor:2 forecaster", "half.json",
            ])
        #expect(try sample(place, "--budget", "0.5", "--cfg-scale", "2.5", "-o", "a.png").status == 0)
        let used = try place.run(
            "--model", place.modelPath, "--plan", "half.json", "--seed", "3", "--class", "owl", "-o", "b.png")
        #expect(used.status == 0)
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        #expect(try place.run("info", "half.json").outputText.contains("conditional    █·█··█·█·█\n"))
    }

    @Test func `a plan's file is the same every time, and no other file is replaced`() throws {
        let place = try Workplace()
        try plan(place, "--budget", "0.5").expectSuccess()
        let first = try place.bytes("plan.json")
        try plan(place, "--budget", "0.5").expectSuccess()
        try plan(place, "--budget", "0.4").expectFailure(73, "plan.json", "--force")
        #expect(try place.bytes("plan.json") == first)
        let streamed = try plan(place, "--budget", "0.5", "-o", "-")
        streamed.expectSuccess()
        #expect(streamed.output == first)
        try plan(place, "--budget", "0.4", "--force").expectSuccess()
        #expect(try place.bytes("plan.json") != first)
        #expect(place.files == ["plan.json"])
    }

    @Test func `a plan for another run or model is refused with 65`() throws {
        let place = try Workplace()
        try plan(place, "--budget", "0.5").expectSuccess()
        try sample(place, "--plan", "plan.json", "--steps", "11").expectFailure(65, "plan.json", "10 steps, not 11")
        try sample(place, "--plan", "plan.json", "--cfg-scale", "2").expectFailure(65, "guidance")
        try sample(place, "--plan", "plan.json", "--sampler", "heun").expectFailure(65, "sampler ddim, not heun")
        var model = TinyModel()
        model.add("blocks.0.mlp.fc1.bias", [64])
        model.tensors["blocks.0.mlp.fc1.bias"]?.values[0] += 1
        let other = try Workplace(model: model)
        try sample(place, "--model", other.modelPath, "--plan", "plan.json").expectFailure(65, "model")
        #expect(place.files == ["plan.json"])
    }

    @Test func `a plan that was edited, cut short or never was is refused`() throws {
        let place = try Workplace()
        try plan(place, "--budget", "0.5").expectSuccess()
        let text = String(decoding: try place.bytes("plan.json"), as: UTF8.self)
        try place.write(text.replacingOccurrences(of: "FRFRF", with: "FFFRF").utf8, to: "edited.json")
        try place.write(text.utf8.prefix(300), to: "short.json")
        try place.write(text.replacingOccurrences(of: "plan/1", with: "plan/9").utf8, to: "new.json")
        try sample(place, "--plan", "edited.json").expectFailure(65, "edited.json", "checksum")
        try sample(place, "--plan", "short.json").expectFailure(65, "short.json")
        try sample(place, "--plan", "new.json").expectFailure(65, "new.json", "plan/9")
        try sample(place, "--plan", ".").expectFailure(65, "directory")
        try sample(place, "--plan", "missing.json").expectFailure(66, "missing.json")
        try sample(place, "--plan", "plan.json", "--budget", "0.5").expectFailure(64, "--plan", "--budget")
        try plan(place).expectFailure(64, "--budget")
        try plan(place, "--budget", "1").expectFailure(64, "budget of 1")
    }

    @Test(arguments: [("0.5", "uniform"), ("0.25", "uniform"), ("0.4", "path"), ("0.9", "uniform")])
    func `no run claims a speed-up that its budget cannot give`(budget: String, planner: String) throws {
        let place = try Workplace()
        // A full run before it, while the machine may be busy, has no say.
        try place.start(place.sampling(["--steps", "20", "--seed", "1", "--class", "owl"])).wait().expectSuccess()
        let result = try place.start(
            place.sampling([
                "--steps", "20", "--seed", "2", "--class", "owl", "--budget", budget, "--planner", planner,
            ])
        ).wait()
        #expect(result.status == 0, "\(result.errorText)")
        let line = try #require(result.errorLines.last { $0.contains("times as fast") }, "\(result.errorText)")
        let words = line.split(separator: " ").map(String.init)
        let speedUp = try #require(words.firstIndex(of: "times").flatMap { Double(words[$0 - 1]) })
        let (spent, full) = (try #require(Double(words[0])), try #require(Double(words[2])))
        #expect(speedUp > 0 && speedUp <= full / spent + 1e-3, "\(line)")
    }
}
