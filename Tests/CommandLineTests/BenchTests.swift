import Foundation
import Testing

/// `omnicache bench`.
@Suite struct BenchTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    @Test func `bench tells what it was asked for, and no more`() throws {
        let result = try place.run(
            "bench", "--model", place.modelPath, "--forwards", "--profile", "--repeats", "2", "--log", "json")
        result.expectSuccess()
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        #expect(report["schema"] as? String == "omnicache.bench/1")
        #expect(report["forwards"] != nil && report["profile"] != nil)
        #expect(report["operations"] == nil && report["scaling"] == nil && report["timings"] == nil)
    }

    @Test func `bench as text is a table for each part`() throws {
        let result = try place.run("bench", "--model", place.modelPath, "--repeats", "1", "-t", "1")
        result.expectSuccess()
        for text in ["GFLOP/s", "guided", "one branch", "share"] { #expect(result.outputText.contains(text)) }
    }

    @Test func `forwards on request are answered line by line until standard input ends`() throws {
        let requests = #"printf '{"branches": 2, "call": 0, "output": "out"}\n{"branches": 1}\n'"#
        let result = try place.shell(#"\#(requests) | "$OMNICACHE" bench --on-request --model "$TINY" -t 1"#)
        result.expectSuccess()
        let answers = try result.outputLines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(answers.count == 2)
        #expect(answers.allSatisfy { ($0["seconds"] as? Double ?? 0) > 0 && $0["timestep"] as? Double == 999 })
        #expect(place.files == ["out"])
    }

    @Test func `a request that makes no sense ends the service`() throws {
        let result = try place.shell(#"echo '{"step": 1}' | "$OMNICACHE" bench --on-request --model "$TINY""#)
        result.expectFailure(65, "line 1", "step")
        try place.run("bench", "--on-request", "--forwards").expectFailure(64, "--on-request")
    }

    @Test func `requests that make no sense are refused`() throws {
        try place.run("bench", "--size", "M/2").expectFailure(64, "M/2", "S/2")
        try place.run("bench", "--size", "S/2", "--model", "x").expectFailure(64, "--size")
        try place.run("bench", "--repeats", "0").expectFailure(64, "--repeats")
        try place.run("bench", "-t", "0").expectFailure(64, "--threads")
        try place.run("bench", "--model", "nowhere").expectFailure(66, "nowhere")
    }
}
