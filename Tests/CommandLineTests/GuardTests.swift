import Foundation
import Testing

/// Budgets that are means over images: hard ones get more.
@Suite struct GuardTests {
    private static let run = ["--cfg-scale", "2.6"]

    private static func place() throws -> Workplace {
        let place = try Workplace()
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(atPath: "\(place.path)/\(name)", withIntermediateDirectories: false)
        }
        return place
    }

    private func calibrate(_ place: Workplace, _ arguments: [String]) throws -> Command.Result {
        try place.start(["calibrate", "--model", place.modelPath, "--samples", "2"] + Self.run + arguments).wait()
    }

    private func draw(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(
            ["sample", "--model", place.modelPath, "-q"] + Self.run + arguments
        ).wait()
    }

    private func lines(_ place: Workplace, _ name: String) throws -> [[String: Any]] {
        try String(decoding: place.bytes(name), as: UTF8.self).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func `hard images get more, whoever makes them, and each can be made again by itself`() throws {
        let place = try Self.place()
        let plans = try calibrate(place, ["--budget", "0.5,0.33,0.25"])
        #expect(plans.status == 0, "\(plans.errorText)")
        let over = ["--budget", "0.33", "--budget-over", "batch"]
        try draw(place, "--seed", "3", "--budget", "0.33", "--budget-over", "batch", "-o", "x.png")
            .expectFailure(64, "omnicache calibrate --guard")
        let told = try calibrate(place, ["--guard", "--budget", "0.33", "--dry-run", "--log", "json"])
        let made = try calibrate(place, ["--guard", "--budget", "0.33", "--log", "json"])
        #expect(made.status == 0, "\(made.errorText)")
        func evaluations(_ result: Command.Result) throws -> Int? {
            let event = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
            return event?["evaluations"] as? Int
        }
        #expect(try evaluations(told) == evaluations(made))
        #expect(try calibrate(place, ["--guard", "--budget", "0.33"]).errorText.contains("already"))

        func batch(_ folder: String, _ more: [String]) throws {
            try place.start(
                ["sample", "--model", place.modelPath, "-q", "--manifest", "--seed", "40", "--count", "24"] + Self.run
                    + over + ["-o", "\(folder)/{index}.png"] + more
            ).wait().expectSuccess()
        }
        try batch("a", [])
        for shard in ["1/2", "0/2"] { try batch("b", ["--shard", shard, "--in-flight", "2"]) }
        let names = (0..<24).map { String(format: "%06d.png", $0) }
        for name in names { #expect(try place.bytes("a/\(name)") == place.bytes("b/\(name)")) }
        let first = try lines(place, "a/manifest-0-of-1.jsonl")
        let spent = first.compactMap { $0["evaluations"] as? Int }
        #expect(spent.count == 24 && Set(spent).count == 2, "\(spent)")
        #expect(try #require(spent.min()) <= 25 && #require(spent.max()) <= 50)

        // A second run finds every image, whatever it has chosen, and makes the missing one.
        let before = try place.bytes("a/manifest-0-of-1.jsonl")
        try batch("a", [])
        #expect(try place.bytes("a/manifest-0-of-1.jsonl") == before)
        let hard = try #require(spent.firstIndex(of: spent.max() ?? 0))
        let picture = try place.bytes("a/\(names[hard])")
        try FileManager.default.removeItem(atPath: "\(place.path)/a/\(names[hard])")
        try batch("a", [])
        #expect(try place.bytes("a/\(names[hard])") == picture)
        #expect(try lines(place, "a/manifest-0-of-1.jsonl").compactMap { $0["evaluations"] as? Int } == spent)

        // By itself, an image is made by the plan that it has chosen.
        try draw(place, "--like", "a/\(names[hard])", "-o", "again.png").expectSuccess()
        #expect(try place.bytes("again.png") == picture)
        #expect(try place.run("info", "again.png").outputText.contains("\(spent[hard]) of 100 evaluations"))
    }

    @Test(arguments: [
        (["--budget-over", "batch"], "needs a budget"), (["--budget-over", "week"], "week"),
        (["--budget-over", "batch", "--budget", "0.33", "--planner", "path"], "drop the options"),
        (["--budget-over", "batch", "--budget", "0.33", "--forecaster", "hold"], "drop the options"),
        (["--budget-over", "batch", "--budget", "0.33", "--grid", "2"], "drop --grid"),
        (["--budget-over", "batch", "--budget", "0.33", "--save-latents", "l"], "drop --save-latents"),
    ])
    func `what does not go with a mean over images is refused`(options: [String], reason: String) throws {
        let place = try Self.place()
        try place.start(
            ["sample", "--model", place.modelPath, "-q", "--seed", "3", "-o", "x.png"] + Self.run + options
        ).wait().expectFailure(64, reason)
    }

    @Test(arguments: [
        ([], "calibration with plans"), (["--search"], "drop --search"), (["--curve"], "drop --curve"),
    ])
    func `a guard without plans to choose between is refused`(options: [String], reason: String) throws {
        let place = try Self.place()
        let result = try place.start(
            ["calibrate", "--model", place.modelPath, "--guard", "--cfg-scale", "2.7", "--budget", "0.33"] + options
        ).wait()
        result.expectFailure(64, reason)
    }
}
