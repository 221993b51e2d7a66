import Foundation
import Testing

/// What is said, where, and in which form.
@Suite struct TellingTests {
    @Test func `with --log json every line of both streams is an object`() throws {
        let place = try Workplace()
        let result = try place.sample("--count", "2", "--steps", "3", "--log", "json")
        #expect(result.status == 0)
        let events = try (result.outputLines + result.errorLines.dropLast()).map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let kinds = events.compactMap { $0["event"] as? String }
        #expect(kinds == ["image", "image", "message"] + Array(repeating: "step", count: 6))
        #expect(events.prefix(2).compactMap { $0["file"] as? String }.sorted() == place.files)
        #expect(events.suffix(6).compactMap { $0["step"] as? Int } == [0, 1, 2, 0, 1, 2])
        #expect(events.suffix(6).compactMap { $0["image"] as? Int } == [0, 0, 0, 1, 1, 1])
        #expect(events[0]["evaluations"] as? Int == 6 && events[0]["seconds"] is Double)
    }

    @Test func `-q says nothing but the results`() throws {
        let place = try Workplace()
        let result = try place.sample("-q")
        result.expectSuccess()
        #expect(result.outputLines == place.files && place.files.count == 1)
    }

    @Test func `-v tells of every step on standard error`() throws {
        let place = try Workplace()
        let result = try place.sample("-v", "--seed", "1", "--class", "0")
        #expect(result.outputText == "red-fox-1.png\n")
        #expect(result.errorLines.filter { $0.hasPrefix("step ") }.count == 2)
    }

    @Test func `a seed that was not given is printed, stored, and makes the same image again`() throws {
        let place = try Workplace()
        let drawn = try place.sample("-o", "a.png")
        let seed = try #require(drawn.errorLines.first?.split(separator: " ").last)
        #expect(drawn.errorText == "seed \(seed)\n")
        try place.sample("--seed", String(seed), "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        #expect(try place.run("info", "a.png").outputText.contains("seed \(seed)\n"))
    }

    @Test func `info tells of an image what made it`() throws {
        let place = try Workplace()
        try place.sample("--seed", "9", "--class", "2", "--sampler", "heun", "--cfg-scale", "1.5").expectSuccess()
        let text = try place.run("info", "hermit-crab-9.png")
        text.expectSuccess()
        for part in ["class 2 seed 9", "heun", "1.5", "tiny", "steps          2"] {
            #expect(text.outputText.contains(part))
        }
        let json = try place.run("info", "hermit-crab-9.png", "--log", "json")
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        let record = try #require(object["record"] as? [String: Any])
        #expect(record["schema"] as? String == "omnicache.image/1")
        #expect((record["settings"] as? [String: Any])?["steps"] as? Int == 2)
    }

    @Test func `info tells of a model what it is`() throws {
        let place = try Workplace()
        let text = try place.run("info", place.modelPath)
        text.expectSuccess()
        for part in ["depth 1, width 16, 2 heads", "epsilon and variance", "1  owl"] {
            #expect(text.outputText.contains(part))
        }
        let json = try place.run("info", place.modelPath, "--log", "json")
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(object["classes"] as? [String] == ["red fox", "owl", "hermit crab"])
        let embedded = try place.run("info")
        #expect(embedded.outputText.contains("emoji-dit") && embedded.outputText.contains("OpenBLAS"))
        #expect(place.files.isEmpty)
    }

    @Test func `info refuses what is neither image nor model`() throws {
        let place = try Workplace()
        try place.write("garbage".utf8, to: "garbage.png")
        try place.run("info", "garbage.png").expectFailure(65, "garbage.png")
        try place.run("info", "garbage.png", "--log", "json").expectFailure(65, "garbage.png")
        try place.run("info", "missing.png").expectFailure(66, "missing.png")
    }

    @Test(arguments: [["--help"], ["-h"], ["help"], ["sample", "--help"], ["info", "--help"], ["--version"]])
    func `help and version go to standard output`(arguments: [String]) throws {
        let result = try Workplace().start(arguments).wait()
        result.expectSuccess()
        #expect(result.outputText.contains(arguments == ["--version"] ? "omnicache 0." : "USAGE: omnicache"))
    }
}
