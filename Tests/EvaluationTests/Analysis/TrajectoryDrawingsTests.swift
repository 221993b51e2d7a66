import Caching
import Compute
import Media
import PipelineSupport
import Sampling
import TestSupport
import Testing

@testable import Evaluation
@testable import Pipeline
@testable import Reports

/// The pictures of whole analyses of the tiny model.
@Suite struct TrajectoryDrawingsTests {
    /// An analysis of six steps, and the plan of a mask for it.
    private struct Analysis {
        let report: TrajectoryReport
        let reuse: ReuseRecord?
        var drawings: TrajectoryDrawings { TrajectoryDrawings(of: report, marking: reuse) }

        init(scale: Double = 2, sampler: SamplerKind = .ddim, seeds: [UInt32] = [1, 2], mask: String? = nil) throws {
            let directory = try GoldenCase(name: "official-sample").directory()
            let settings = SampleSettings(steps: 6, sampler: SamplerOptions(sampler), guidanceScale: scale)
            let analysis = try TrajectoryAnalysis(
                directory: directory, network: directory.load(), settings: settings, workers: Workers(count: 1))
            for seed in seeds {
                var run = try analysis.start(SampleItem(classID: 1, seed: seed))
                while try run.next() != nil {}
            }
            report = try analysis.report()
            let schedule = try settings.schedule(for: directory)
            reuse = try mask.flatMap { mask in
                try PlanResolver(schedule: schedule).resolve(
                    ReuseRequest(mask: mask, forecaster: .complete(.hold(quantity: .direction))))
            }
        }
    }

    private static let overSteps: [(name: String, svg: @Sendable (TrajectoryDrawings) -> SVG)] = [
        ("turning", { $0.turning }), ("curvature", { $0.curvature }), ("blocks", { $0.blocks }),
        ("noise", { $0.noise }),
    ]

    /// The tool tips of the cells that mark the plan, row by row.
    private func marks(_ svg: SVG) throws -> [[String]] {
        try XMLNode.parse(svg.text).all("g").filter { $0.attributes["class"] == "plan-row" }.map { row in
            row.all("rect").compactMap(\.tip)
        }
    }

    private func tips(_ mask: String, unit: String = "step") -> [String] {
        mask.enumerated().map { "\(unit) \($0): \($1 == "F" ? "full" : "reused")" }
    }

    private func texts(_ svg: SVG) throws -> [String] { try XMLNode.parse(svg.text).all("text").map(\.text) }

    /// The marks of the mean path in each of the three views.
    private func pathMarks(_ svg: SVG) throws -> [[String]] {
        let tips = try XMLNode.parse(svg.text).all("circle").compactMap(\.tip)
        return stride(from: 0, to: tips.count, by: 6).map { Array(tips[$0..<min(tips.count, $0 + 6)]) }
    }

    @Test func `every branch's decisions are marked, call by call, and the path's steps with them`() throws {
        let drawings = try Analysis(mask: "FFRFRR/FRRFFR").drawings
        for (name, svg) in Self.overSteps {
            #expect(try marks(svg(drawings)) == [tips("FFRFRR"), tips("FRRFFR")], "\(name)")
            #expect(try texts(svg(drawings)).joined(separator: " ").contains("6 of 12 evaluations, mask planner"))
        }
        let path = ["full", "partly reused", "reused", "full", "partly reused", "reused"].enumerated().map {
            "step \($0): \($1)"
        }
        #expect(try pathMarks(drawings.path) == [path, path, path])
    }

    @Test func `without a plan nothing is marked`() throws {
        let drawings = try Analysis().drawings
        for (name, svg) in Self.overSteps {
            #expect(try marks(svg(drawings)).isEmpty, "\(name)")
            #expect(try !texts(svg(drawings)).contains { $0.contains("reused step") }, "\(name)")
        }
        #expect(try pathMarks(drawings.path).isEmpty)
    }

    @Test func `an unguided run has one row of marks and one curve`() throws {
        let drawings = try Analysis(scale: 1, mask: "FRFRFR").drawings
        for (_, svg) in Self.overSteps { #expect(try marks(svg(drawings)) == [tips("FRFRFR")]) }
        #expect(try XMLNode.parse(drawings.turning.text).all("polyline").count == 1)
        #expect(try !texts(drawings.turning).contains("unconditional"))
    }

    @Test func `a guided run has three curves, each with its band`() throws {
        let root = try XMLNode.parse(try Analysis().drawings.turning.text)
        #expect(root.all("polyline").count == 3 && root.all("polygon").count == 3)
        #expect(["guided", "conditional", "unconditional"].allSatisfy(root.all("text").map(\.text).contains))
    }

    @Test func `where a step makes two calls, calls are what is marked, and a path's step is full if both are`() throws
    {
        let mask = "FFFRRFRRFRF"
        let drawings = try Analysis(sampler: .heun, mask: mask).drawings
        for (_, svg) in Self.overSteps {
            #expect(try marks(svg(drawings)) == [tips(mask, unit: "model call"), tips(mask, unit: "model call")])
            #expect(try texts(svg(drawings)).contains("model call"))
        }
        let path = ["full", "partly reused", "partly reused", "reused", "partly reused", "full"]
        #expect(try pathMarks(drawings.path).first == path.enumerated().map { "step \($0): \($1)" })
    }

    @Test func `one image has curves without bands, two have them`() throws {
        let single = try Analysis(seeds: [1]).drawings
        for svg in [single.turning, single.curvature] {
            let root = try XMLNode.parse(svg.text)
            #expect(root.all("polyline").count == 3 && root.all("polygon").isEmpty)
            #expect(!svg.text.contains("standard deviation"))
        }
        for svg in [try Analysis().drawings.turning, try Analysis().drawings.curvature] {
            #expect(try XMLNode.parse(svg.text).all("polygon").count == 3)
        }
    }

    @Test func `curves and cells show the report's numbers`() throws {
        let analysis = try Analysis()
        let cells =
            try XMLNode.parse(analysis.drawings.blocks.text).all("g")
            .first { $0.attributes["class"] == "cells" }?.all("rect").compactMap(\.tip) ?? []
        let parts = Set(analysis.report.blocks.map { "\($0.site.rawValue) \($0.block ?? -1)" })
        #expect(cells.count == parts.count * 6)
        let rows = analysis.report.blocks.filter { $0.site.rawValue == "mlp" && $0.block == 1 && $0.call == 3 }
        #expect(rows.count == 2)
        let mean = (rows[0].relativeL1.mean + rows[1].relativeL1.mean) / 2
        let told = try #require(cells.first { $0.hasPrefix("MLP 1, step 3: ") }?.split(separator: " ").last)
        #expect(abs((Double(told) ?? .nan) / mean - 1) < 0.006)

        let noise =
            try XMLNode.parse(analysis.drawings.noise.text).all("g")
            .first { $0.attributes["class"] == "cells" }?.all("rect").compactMap(\.tip) ?? []
        #expect(noise.count == analysis.report.spectrum.bandSizes.count * 6)
        #expect(noise.first == "0 (coarsest), step 0: –")
        let turning = try XMLNode.parse(analysis.drawings.turning.text).all("polyline")[0]
        #expect(turning.attributes["points"]?.split(separator: " ").count == 5)
        #expect(try pathPoints(analysis.drawings.path) == Array(repeating: 7, count: 9))
    }

    private func pathPoints(_ svg: SVG) throws -> [Int] {
        try XMLNode.parse(svg.text).all("polyline").map { $0.attributes["points"]?.split(separator: " ").count ?? 0 }
    }

    @Test func `a plan's drawing has a row per branch and says what it costs`() throws {
        let analysis = try Analysis(mask: "FFRFRR/FRRFFR")
        let plan = PlanFile(
            model: analysis.report.model, settings: analysis.report.settings, reuse: try #require(analysis.reuse))
        #expect(try marks(plan.drawing) == [tips("FFRFRR"), tips("FRRFFR")])
        let texts = try texts(plan.drawing)
        #expect(texts.contains("3 of 6") && texts.contains { $0.hasPrefix("6 of 12 evaluations, mask planner") })
    }
}
