import Foundation
import TestSupport
import Testing

/// `omnicache plan --svg`: the plan as a picture.
@Suite struct PlanDrawingTests {
    private func plan(_ place: Workplace, _ arguments: String...) throws -> Command.Result {
        try place.start(
            ["plan", "--model", place.modelPath, "--steps", "8", "--forecaster", "hold"] + arguments
        ).wait()
    }

    @Test func `the picture has a row per branch, and its path is told after the plan's`() throws {
        let place = try Workplace()
        let result = try plan(place, "--mask", "FFRFRRFR/FRRFFRRR", "-o", "p.json", "--svg", "p.svg")
        result.expectSuccess()
        #expect(result.outputLines.suffix(2) == ["p.json", "p.svg"])
        let rows = try XMLNode.parse(String(decoding: place.bytes("p.svg"), as: UTF8.self)).all("g")
            .filter { $0.attributes["class"] == "plan-row" }
            .map { $0.all("rect").compactMap(\.tip).map { $0.hasSuffix("full") ? "F" : "R" }.joined() }
        #expect(rows == ["FFRFRRFR", "FRRFFRRR"])
    }

    @Test func `the same plan and picture are left, others are refused with 73 and both files stay`() throws {
        let place = try Workplace()
        try plan(place, "--mask", "FFRFRRFR", "-o", "p.json", "--svg", "p.svg").expectSuccess()
        try plan(place, "--mask", "FFRFRRFR", "-o", "p.json", "--svg", "p.svg").expectSuccess()
        let drawn = try place.bytes("p.svg")
        try plan(place, "--mask", "FRRFRRFR", "-o", "q.json", "--svg", "p.svg").expectFailure(73, "p.svg", "--force")
        #expect(place.files == ["p.json", "p.svg"])
        #expect(try place.bytes("p.svg") == drawn)
        try plan(place, "--mask", "FRRFRRFR", "-o", "q.json", "--svg", "p.svg", "--force").expectSuccess()
        #expect(try place.bytes("p.svg") != drawn)
    }

    @Test func `a plan on standard output can be drawn too, and is alone there`() throws {
        let place = try Workplace()
        let result = try plan(place, "--mask", "FFRFRRFR", "-o", "-", "--svg", "p.svg")
        result.expectSuccess()
        #expect(result.outputText.hasPrefix("{") && result.outputText.hasSuffix("}\n"))
        #expect(place.files == ["p.svg"])
    }

    @Test(arguments: ["", "-", "plan.json"])
    func `a picture needs a file of its own`(path: String) throws {
        let place = try Workplace()
        try plan(place, "--mask", "FFRFRRFR", "--svg=\(path)").expectFailure(64, "--svg")
        #expect(place.files.isEmpty)
    }
}
