import Caching
import Evaluation
import Foundation
import Pipeline
import Testing

/// Calibrations from the command line: made, kept, found again, and never mistaken.
@Suite struct CalibrationCommandTests {
    private static let image = ["--seed", "3", "--class", "owl"]

    private func sample(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(place.sampling(Self.image + arguments)).wait()
    }

    private func calibrate(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(["calibrate", "--model", place.modelPath] + arguments).wait()
    }

    @Test func `a budget without a calibration makes one, says so, and finds it the next time`() throws {
        let place = try Workplace()
        // With a cache folder of its own: the other tests' calibrations would be found.
        func draw(_ name: String, _ options: String) throws -> Command.Result {
            try place.shell(
                "\"$OMNICACHE\" sample --model \"$TINY\" --steps 30 --seed 3 --class owl --budget 0.5 \(options) -o \(name)",
                environment: ["XDG_CACHE_HOME": "\(place.path)/cache"])
        }
        let first = try draw("a.png", "")
        #expect(first.status == 0 && first.errorText.contains("no calibration"))
        let second = try draw("b.png", "")
        #expect(second.status == 0 && !second.errorText.contains("no calibration"))
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        let other = try draw("c.png", "--cfg-scale 2.25")
        #expect(other.status == 0 && other.errorText.contains("no calibration"))
    }

    @Test(arguments: [
        [], ["--sampler", "heun"], ["--sampler", "ddpm"], ["--sampler", "dpm++2m"], ["--cfg-scale", "1"],
    ])
    func `every sampler can be calibrated, guided or not, and steers within the budget`(options: [String]) throws {
        let place = try Workplace()
        let made = try place.start(
            ["calibrate", "--model", place.modelPath, "--steps", "10", "--samples", "2", "--log", "json"] + options
        ).wait()
        #expect(made.status == 0, "\(made.errorText)")
        let drawn = try place.start(
            place.sampling(Self.image + ["--steps", "10", "--budget", "0.5", "--log", "json", "-o", "a.png"] + options)
        ).wait()
        #expect(drawn.status == 0 && !drawn.errorText.contains("no calibration"), "\(drawn.errorText)")
        let event = try #require(try JSONSerialization.jsonObject(with: drawn.output) as? [String: Any])
        let (spent, full) = (event["evaluations"] as? Int ?? .max, event["evaluationsFull"] as? Int ?? 0)
        #expect(spent <= full / 2)
        // Steering, unless it did not pass its check, and then both commands say so.
        let told = try place.run("info", "a.png").outputText
        #expect(told.contains("search planner, "), "\(told)")
        let chosen = try #require(made.errorText.firstMatch(of: /budget 0.5: (\S+) fills the gaps/)).1
        #expect(told.contains("\(chosen) forecaster"), "\(told) \(made.errorText)")
    }

    @Test func `few steps that nothing has been tried for are shared out evenly, which is said`() throws {
        let place = try Workplace()
        let drawn = try sample(place, "--steps", "10", "--budget", "0.5", "--cfg-scale", "1.9", "-o", "a.png")
        #expect(drawn.status == 0 && drawn.errorText.contains("shared out evenly"), "\(drawn.errorText)")
        #expect(try place.run("info", "a.png").outputText.contains("uniform planner, hold forecaster"))
    }

    @Test func `a calibration costs what a dry run says, and eight full runs for four images at half`() throws {
        let place = try Workplace()
        let options = ["--steps", "30", "--log", "json", "--sampler", "dpm++2m", "--cfg-scale", "1.25"]
        func evaluations(_ more: String...) throws -> (spent: Int, full: Int) {
            let result = try place.start(["calibrate", "--model", place.modelPath] + options + more).wait()
            let event = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
            return (event["evaluations"] as? Int ?? 0, event["evaluationsFull"] as? Int ?? 1)
        }
        let told = try evaluations("--dry-run")
        let done = try evaluations()
        #expect(told == done && done.spent > 0 && Double(done.spent) <= 8.1 * Double(done.full))
        let inWords = try place.start(["calibrate", "--model", place.modelPath, "--dry-run"]).wait()
        #expect(inWords.output.isEmpty && inWords.errorText.contains("would take at most"), "\(inWords.errorText)")
    }

    @Test func `what a search has chosen is used where no planner is asked for, at no more than a dry run says`() throws
    {
        let place = try Workplace()
        let run = ["--steps", "12", "--cfg-scale", "1.7"]
        func calibrate(_ more: String...) throws -> Command.Result {
            try place.start(["calibrate", "--model", place.modelPath, "--search", "--log", "json"] + run + more).wait()
        }
        func evaluations(_ result: Command.Result) throws -> Int {
            let event = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
            return try #require(event["evaluations"] as? Int)
        }
        let told = try evaluations(calibrate("--samples", "2", "--dry-run"))
        let made = try calibrate("--samples", "2")
        #expect(made.status == 0, "\(made.errorText)")
        #expect(try (1...told).contains(evaluations(made)))
        func planner(_ more: String...) throws -> String {
            let drawn = try place.start(
                place.sampling(Self.image + run + ["--budget", "0.5", "-o", "\(more.count).png"] + more)
            ).wait()
            #expect(drawn.status == 0, "\(drawn.errorText)")
            return try place.run("info", "\(more.count).png").outputText
        }
        #expect(try planner().contains("search planner"))
        #expect(try planner("--planner", "path").contains("path planner"))
        let elsewhere = try place.start(
            place.sampling(Self.image + run + ["--budget", "0.75", "--planner", "search", "-o", "x.png"])
        ).wait()
        elsewhere.expectFailure(64, "no plan has been chosen for 18 evaluations")
        try calibrate("--samples", "1").expectFailure(64, "--search needs at least 2 --samples")
        try calibrate("--budget", "1").expectFailure(64, "--search needs at least 2 --samples")
    }

    @Test(arguments: [["--clip", "0.8"], ["--clip", "0.8", "--sampler", "ddpm"], []])
    func `where a fit has not passed its check, what has is used, and said where another is asked for`(
        options: [String]
    ) throws {
        let place = try Workplace()
        let run = ["--steps", "11", "--cfg-scale", "1.6"] + options
        let made = try place.start(["calibrate", "--model", place.modelPath, "--samples", "2"] + run).wait()
        #expect(made.status == 0, "\(made.errorText)")
        let path = try #require(made.outputLines.first)
        let file = try CalibrationFile(path: path)
        let fit = try #require(file.fits.first)
        let plain = Forecaster.taylor(order: 2, quantity: .clean, variable: .step)
        let replaced = file.adding(CalibrationFile.Fit(plan: fit.plan, forecaster: plain))
        try Data(replaced.bytes).write(to: URL(filePath: path))
        let wanted: KeyValuePairs<String, [String]> = [
            "a.png": [], "b.png": ["--forecaster", "steering"], "c.png": ["--forecaster", "spectral"],
        ]
        for (name, forecaster) in wanted {
            let drawn = try place.start(
                place.sampling(Self.image + run + ["--budget", "0.5", "-o", name] + forecaster)
            ).wait()
            let told = drawn.errorText.contains("taylor:2 fills the gaps: ")
            #expect(drawn.status == 0 && told != forecaster.isEmpty, "\(drawn.errorText)")
            #expect(try place.run("info", name).outputText.contains("search planner, taylor:2 forecaster"))
        }
    }

    @Test func `a calibration is made once, and a damaged one is refused`() throws {
        let place = try Workplace()
        let first = try calibrate(place, "--steps", "8", "--samples", "2", "--cfg-scale", "1.75")
        #expect(first.status == 0)
        let path = try #require(first.outputLines.first)
        let again = try calibrate(place, "--steps", "8", "--samples", "2", "--cfg-scale", "1.75")
        #expect(again.status == 0 && again.errorText.contains("already") && again.outputLines == [path])
        let bytes = try Data(contentsOf: URL(filePath: path))
        let spoilt: [Data] = [
            bytes.prefix(bytes.count / 2), Data(),
            Data(String(decoding: bytes, as: UTF8.self).replacing("\"samples\":2", with: "\"samples\":3").utf8),
            Data(String(decoding: bytes, as: UTF8.self).replacing("calibration/1", with: "calibration/9").utf8),
        ]
        for data in spoilt {
            #expect(data != bytes)
            try data.write(to: URL(filePath: path))
            try sample(place, "--steps", "8", "--cfg-scale", "1.75", "--budget", "0.5", "-o", "x.png")
                .expectFailure(65, path, "omnicache calibrate")
        }
        #expect(try calibrate(place, "--steps", "8", "--samples", "2", "--cfg-scale", "1.75", "--force").status == 0)
        #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
    }

    @Test func `a quality or a time chooses a budget, and is refused where it cannot be had`() throws {
        let place = try Workplace()
        let run = ["--steps", "30", "--cfg-scale", "2.1"]
        func draw(_ options: String...) throws -> Command.Result {
            try place.start(place.sampling(Self.image + run + options + ["--force", "-o", "x.png"])).wait()
        }
        try draw("--quality", "40").expectFailure(64, "omnicache calibrate --curve")
        let made = try place.start(
            ["calibrate", "--model", place.modelPath, "--curve", "--samples", "8", "--budget", "0.7,0.4"] + run
        ).wait()
        #expect(made.status == 0, "\(made.errorText)")
        let again = try place.start(
            ["calibrate", "--model", place.modelPath, "--curve", "--samples", "8", "--budget", "0.7,0.4"] + run
        ).wait()
        #expect(again.errorText.contains("already"))
        let file = try CalibrationFile(path: #require(made.outputLines.first))
        let curve = QualityCurve(file.calibration)
        let promises = curve.points.compactMap(\.promise)
        #expect(curve.points.map(\.evaluations) == [24, 42] && promises.count == 2)
        let easy = try draw("--quality", "\(promises[0])")
        #expect(easy.errorText.contains("budget 0.4, which kept"), "\(easy.errorText)")
        #expect(try place.run("info", "x.png").outputText.contains("24 of 60 evaluations"))
        let hard = try draw("--quality", "200")
        #expect(hard.status == 0 && hard.errorText.contains("everything is evaluated"), "\(hard.errorText)")
        let long = try draw("--time", "1h")
        #expect(long.status == 0 && long.errorText.contains("the full run takes about"), "\(long.errorText)")
        try draw("--time", "0.000001s").expectFailure(64, "the least, 24 of 60")
        try draw("--time", "soon").expectFailure(64, "--time")
        try draw("--quality", "0").expectFailure(64, "--quality 0")
        try draw("--quality", "40", "--budget", "0.5").expectFailure(64, "--quality and --budget both")
        try draw("--quality", "40", "--time", "1s").expectFailure(64, "--quality and --time both")
    }

    @Test(arguments: [
        (["--samples", "0"], "--samples 0"), (["--time-limit", "1m"], "--time-limit needs --search"),
        (["--search", "--time-limit", "later"], "--time-limit"), (["--budget", "2"], "2.0"), (["--budget", "x"], "x"),
        (["--curve"], "--curve with 4 --samples"), (["--budget", "0.5,0.001"], "at least 2 of"),
    ])
    func `a calibration that makes no sense is refused with 64`(options: [String], text: String) throws {
        let place = try Workplace()
        let result = try place.start(["calibrate", "--model", place.modelPath] + options).wait()
        result.expectFailure(64, text)
    }

    @Test func `where a calibration cannot be kept, none is made`() throws {
        let place = try Workplace()
        let result = try place.shell(
            "\"$OMNICACHE\" calibrate --model \"$TINY\" --log json --steps 1000 --samples 1000",
            environment: ["XDG_CACHE_HOME": "/dev/null"])
        result.expectFailure(73, "XDG_CACHE_HOME")
    }

    @Test(arguments: ["sample", "analyze"])
    func `a dry run without a calibration says that one would be made, and makes none`(command: String) throws {
        let place = try Workplace()
        for _ in 0..<2 {
            let result = try place.start(
                [
                    command, "--model", place.modelPath, "--steps", "30", "--cfg-scale", "2.35", "--seed", "1",
                    "--budget", "0.5",
                ]
                    + ["--dry-run"]
            ).wait()
            #expect(result.status == 0 && result.errorText.contains("the run makes one first"), "\(result.errorText)")
        }
        // Whatever else is wrong is still found.
        let wrong = try place.start(
            place.sampling(["--steps", "30", "--cfg-scale", "2.35", "--budget", "0.5", "--dry-run", "--count", "2"])
                + ["--save-latents", "l"]
        ).wait()
        #expect(wrong.status == 64 && wrong.errorText.contains("--save-latents"), "\(wrong.errorText)")
    }

    @Test func `calibrating again replaces the plan of its budget, and keeps those of others`() throws {
        let place = try Workplace()
        let run = ["calibrate", "--model", place.modelPath, "--steps", "30", "--cfg-scale", "2.45", "--samples"]
        func calibrated(_ options: String...) throws -> Calibration {
            let result = try place.start(run + options).wait()
            #expect(result.status == 0, "\(result.errorText)")
            return try CalibrationFile(path: #require(result.outputLines.first)).calibration
        }
        let first = try calibrated("4", "--budget", "0.5")
        let both = try calibrated("2", "--budget", "0.3")
        #expect(both.choices.map(\.evaluations) == [30, 18] && both.choices[0] == first.choices[0])
        #expect(both.samples == 4)
        let again = try calibrated("5", "--budget", "0.3", "--force")
        #expect(again.choices.map(\.evaluations) == [30, 18] && again.choices[0] == first.choices[0])
        #expect(again.samples == 5)
        // Two images chose for 0.3, whatever stands behind the other budget.
        let two = try calibrated("2", "--budget", "0.3", "--force")
        #expect(two.samples == 2 && two.choices[0] == first.choices[0])
        #expect(try calibrated("4", "--budget", "0.3").choices[1].images == 4)
        let kept = try place.start(run + ["4", "--budget", "0.5,0.3"]).wait()
        #expect(kept.errorText.contains("already"), "\(kept.errorText)")
    }

    @Test func `the embedded model finds its own calibration`() throws {
        let place = try Workplace()
        let result = try place.start(["plan", "--budget", "0.4", "--log", "json", "-o", "plan.json"]).wait()
        #expect(result.status == 0 && result.errorText == "", "\(result.errorText)")
        #expect(try place.run("info", "plan.json").outputText.contains("search planner, steering forecaster"))
        #expect(try !place.run("info", "plan.json").outputText.contains("41 of"))
    }
}
