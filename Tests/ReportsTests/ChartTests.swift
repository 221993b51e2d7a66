import TestSupport
import Testing

@testable import Media
@testable import Reports

@Suite struct ChartTests {
    @Test func `a curve passes through its values, and higher is greater`() throws {
        let series = LineChart.Series(label: "a", y: [0, 10, 5])
        let root = try XMLNode.parse(LineChart(title: "t", yTitle: "y", series: [series]).svg().text)
        let points = DrawingTests.points(of: try #require(root.all("polyline").first))
        #expect(points.count == 3)
        #expect(points[0].y - points[1].y == 300)
        #expect(abs(points[2].y - (points[0].y + points[1].y) / 2) <= 0.01)
        #expect(abs(points[1].x - (points[0].x + points[2].x) / 2) <= 0.01)
        // The axis says the same: labels 0 and 10 stand at the heights of these values, four pixels lower.
        let labels = root.all("text").filter { $0.attributes["text-anchor"] == "end" }
        #expect(labels.first { $0.text == "0" }?.number("y") == points[0].y + 4)
        #expect(labels.first { $0.text == "10" }?.number("y") == points[1].y + 4)
    }

    @Test func `values that cannot be drawn leave gaps, and a value alone is a point`() throws {
        let values: [Double] = [1, 2, .nan, 4, .infinity, 5, 6, 7]
        let series = LineChart.Series(label: "a", y: values, spread: values.map { _ in 0.5 })
        let root = try XMLNode.parse(LineChart(title: "t", yTitle: "y", series: [series]).svg().text)
        #expect(root.all("polyline").map { DrawingTests.points(of: $0).count } == [2, 3])
        #expect(root.all("polygon").map { DrawingTests.points(of: $0).count } == [4, 6])
        #expect(root.all("circle").count == 1)
    }

    @Test func `a logarithmic axis leaves out zero and below`() throws {
        let series = LineChart.Series(label: "a", y: [1, 10, 0, 100, 1000, -1])
        let root = try XMLNode.parse(
            LineChart(title: "t", yTitle: "y", series: [series], yScale: .logarithmic).svg().text)
        let heights = root.all("polyline").flatMap(DrawingTests.points).map(\.y)
        #expect(heights.count == 4)
        #expect(zip(heights, [300, 200, 100, 0]).allSatisfy { abs($0 - heights[3] - $1) <= 0.011 })
    }

    @Test func `a band reaches from value less spread to value plus spread`() throws {
        let series = LineChart.Series(label: "a", y: [5, 5], spread: [5, 2.5])
        let root = try XMLNode.parse(LineChart(title: "t", yTitle: "y", series: [series]).svg().text)
        let band = DrawingTests.points(of: try #require(root.all("polygon").first)).map(\.y)
        let middle = DrawingTests.points(of: try #require(root.all("polyline").first))[0].y
        #expect(zip(band, [-150, -75, 75, 150]).allSatisfy { abs($0 - middle - $1) <= 0.01 })
    }

    @Test func `cells have the colours of their values, and gray where there is none`() throws {
        let rows = [
            HeatMap.Row(label: "a", values: [0, 1, 0.5]), HeatMap.Row(label: "b", values: [.nan, .infinity, 0.25]),
        ]
        let root = try XMLNode.parse(HeatMap(title: "t", yTitle: "y", valueTitle: "v", rows: rows).svg().text)
        let cells = try #require(root.all("g").first { $0.attributes["class"] == "cells" }).all("rect")
        let gray = Palette.missing.hexadecimal
        let expected =
            [0, 1, 0.5].map { ColourMap.colour(at: $0).hexadecimal } + [gray, gray]
            + [ColourMap.colour(at: 0.25).hexadecimal]
        #expect(cells.map { $0.attributes["fill"] } == expected)
        #expect(cells.map(\.tip).first == "a, step 0: 0")
        #expect(root.all("text").contains { $0.text == "no value" })
    }

    @Test func `many rows of a heat map are named so far apart that names do not overlap`() throws {
        let rows = (0..<56).map { HeatMap.Row(label: "row \($0)", values: [Double($0)]) }
        let root = try XMLNode.parse(HeatMap(title: "t", yTitle: "y", valueTitle: "v", rows: rows).svg().text)
        let heights = root.all("text").filter { $0.text.hasPrefix("row ") }.map { $0.number("y") }
        #expect(heights.count == 28)
        #expect(zip(heights, heights.dropFirst()).allSatisfy { $1 - $0 >= PlotArea.tickSize })
    }

    @Test func `a path is seen from three sides, full steps filled and reused ones hollow`() throws {
        let mean = (0..<4).map { SIMD3(Double($0), Double($0 * $0), 1) }
        let drawing = PathPlot(title: "t", runs: [mean, mean], mean: mean, reusedShares: [0, 1, 0.5]).svg()
        let root = try XMLNode.parse(drawing.text)
        // Two runs and the mean, three times.
        #expect(root.all("polyline").map { DrawingTests.points(of: $0).count } == [Int](repeating: 4, count: 9))
        let steps = root.all("circle").filter { $0.tip != nil }
        #expect(
            steps.map { $0.tip ?? "" }
                == (0..<3).flatMap { _ in ["step 0: full", "step 1: reused", "step 2: partly reused"] })
        let fills = steps.prefix(3).map { $0.attributes["fill"] }
        #expect(fills[0] == Palette.series[0].hexadecimal && fills[1] == "#ffffff")
        #expect(Set(fills).count == 3)
        let texts = root.all("text").map(\.text)
        #expect(["full step", "reused step", "partly reused step"].allSatisfy(texts.contains))
        // u grows by one each, w1 by 1, 3, 5: in the first panel the path bends upwards, in the second it is level.
        let first = DrawingTests.points(of: root.all("polyline")[2])
        #expect(first[0].y - first[1].y < first[1].y - first[2].y)
        #expect(Set(DrawingTests.points(of: root.all("polyline")[5]).map(\.y)).count == 1)
    }

    @Test func `every strategy is named once, in the order of the lines' ends, without overlap`() throws {
        let lines = (0..<20).map { index in
            QualityPlot.Line(
                label: "strategy \(index)",
                points: [QualityPlot.Point(2, 30 + Double(index % 5) / 10), QualityPlot.Point(1, 20)])
        }
        let root = try XMLNode.parse(QualityPlot(title: "t", xTitle: "x", lines: lines).svg().text)
        let names = root.all("text").filter { $0.text.hasPrefix("strategy") }
        #expect(Set(names.map(\.text)).count == 20)
        #expect(names.count == 20)
        let heights = names.map { $0.number("y") }
        #expect(zip(heights, heights.dropFirst()).allSatisfy { $1 - $0 >= 14.99 })
        let ends = names.map { (Int($0.text.dropFirst(9)) ?? 0) % 5 }
        #expect(ends == ends.sorted(by: >))
    }

    @Test func `an emphasised line has a bar for each interval, and every mark tells its own`() throws {
        func line(_ isEmphasised: Bool) -> QualityPlot.Line {
            QualityPlot.Line(
                label: "a",
                points: [
                    QualityPlot.Point(50, 40, interval: 38...(.infinity)), QualityPlot.Point(20, 30, interval: 0...31),
                ],
                isEmphasised: isEmphasised)
        }
        func root(_ isEmphasised: Bool) throws -> XMLNode {
            try XMLNode.parse(QualityPlot(title: "t", xTitle: "x", lines: [line(isEmphasised)]).svg().text)
        }
        let (plain, emphasised) = (try root(false), try root(true))
        #expect(emphasised.all("line").count == plain.all("line").count + 2)
        #expect(plain.all("circle").compactMap(\.tip) == ["a: 20, 30 (0–31)", "a: 50, 40 (38–∞)"])
    }

    @Test func `an infinite quality is left out`() throws {
        let line = QualityPlot.Line(
            label: "a",
            points: [QualityPlot.Point(100, .infinity), QualityPlot.Point(50, 40), QualityPlot.Point(20, 30)])
        let root = try XMLNode.parse(QualityPlot(title: "t", xTitle: "x", lines: [line]).svg().text)
        #expect(root.all("circle").compactMap(\.tip) == ["a: 20, 30", "a: 50, 40"])
    }

    @Test(
        arguments: [
            ([], []), ([5], [5]), ([-3], [0]), ([200], [100]), ([10, 30], [10, 30]), ([10, 10], [5, 15]),
            ([0, 0, 0], [0, 10, 20]), ([100, 100], [90, 100]), ([20, 21, 60], [15.5, 25.5, 60]),
        ] as [([Double], [Double])])
    func `names move as little as it takes`(wanted: [Double], expected: [Double]) {
        #expect(QualityPlot.spreadApart(wanted, by: 10, from: 0, to: 100) == expected)
    }

    @Test func `a legend starts a row where the next entry would not fit`() {
        let entries = (0..<8).map {
            (symbol: Legend.Symbol.line(.black, dash: "", width: 1), label: "series number \($0)")
        }
        #expect(Legend([], width: 800).height == 0)
        #expect(Legend(entries, width: 2000).height == 19)
        #expect(Legend(entries, width: 400).height > 19)
    }
}
