import TestSupport
import Testing

@testable import Media
@testable import Reports

/// How a plan's steps are shown: by themselves, and under curves and cells.
@Suite struct PlanMarksTests {
    static let conditional = (0..<50).map { $0 % 2 == 0 }
    static let unconditional = (0..<50).map { $0 % 3 == 0 }
    static let marks = [
        PlanRow(label: "conditional", isFull: conditional), PlanRow(label: "unconditional", isFull: unconditional),
    ]

    /// The cells of every row: the middle, the colour and the tool tip.
    static func cells(_ drawing: SVG) throws -> [[(x: Double, fill: String, tip: String)]] {
        try XMLNode.parse(drawing.text).all("g").filter { $0.attributes["class"] == "plan-row" }.map { row in
            row.all("rect").map {
                (
                    x: $0.number("x") + $0.number("width") / 2, fill: $0.attributes["fill"] ?? "", tip: $0.tip ?? ""
                )
            }
        }
    }

    static func check(_ drawing: SVG) throws {
        let rows = try cells(drawing)
        #expect(rows.count == 2)
        for (row, isFull) in zip(rows, [conditional, unconditional]) {
            #expect(row.map(\.tip) == isFull.indices.map { "step \($0): \(isFull[$0] ? "full" : "reused")" })
            let colours = isFull.map { $0 ? Palette.full.hexadecimal : Palette.reused.hexadecimal }
            #expect(row.map(\.fill) == colours)
        }
    }

    @Test func `a strip has one row per branch and one cell per step`() throws {
        let drawing = PlanStrip(title: "t", rows: Self.marks).svg()
        try Self.check(drawing)
        let texts = try XMLNode.parse(drawing.text).all("text").map(\.text)
        #expect(["conditional", "unconditional", "25 of 50", "17 of 50", "0", "45"].allSatisfy(texts.contains))
    }

    @Test func `marks of a chart line up with the curve's points`() throws {
        let series = LineChart.Series(label: "a", y: (0..<50).map { Double($0 % 7) })
        let drawing = LineChart(title: "t", yTitle: "y", series: [series], marks: Self.marks).svg()
        try Self.check(drawing)
        let curve = try #require(XMLNode.parse(drawing.text).all("polyline").first)
        let positions = DrawingTests.points(of: curve).map(\.x)
        #expect(positions.count == 50)
        for row in try Self.cells(drawing) {
            #expect(zip(row, positions).allSatisfy { abs($0.x - $1) <= 0.011 })
        }
    }

    @Test func `marks of a heat map line up with its cells`() throws {
        let rows = (0..<3).map { HeatMap.Row(label: "block \($0)", values: (0..<50).map(Double.init)) }
        let drawing = HeatMap(title: "t", yTitle: "y", valueTitle: "v", rows: rows, marks: Self.marks).svg()
        try Self.check(drawing)
        let cells = try #require(XMLNode.parse(drawing.text).all("g").first { $0.attributes["class"] == "cells" })
        let middles = cells.all("rect").prefix(50).map { $0.number("x") + $0.number("width") / 2 }
        for row in try Self.cells(drawing) {
            #expect(zip(row, middles).allSatisfy { abs($0.x - $1) <= 0.011 })
        }
    }

    @Test func `shading covers the reused steps, twice as strong where both branches are`() throws {
        let rows = [
            PlanRow(label: "a", isFull: [true, false, false, true]),
            PlanRow(label: "b", isFull: [true, true, false, false]),
        ]
        let series = LineChart.Series(label: "a", y: [1, 2, 3, 4])
        let drawing = LineChart(title: "t", yTitle: "y", series: [series], marks: rows).svg()
        let root = try XMLNode.parse(drawing.text)
        let shades = root.children.filter { $0.name == "rect" && $0.attributes["fill-opacity"] != nil }
        let points = DrawingTests.points(of: try #require(root.all("polyline").first))
        let cell = points[1].x - points[0].x
        #expect(shades.count == 3)
        for (shade, step) in zip(shades, 1...3) {
            #expect(abs(shade.number("x") - (points[step].x - cell / 2)) <= 0.011)
            #expect(abs(shade.number("width") - cell) <= 0.021)
        }
        let opacities = shades.map { $0.number("fill-opacity") }
        #expect(opacities[0] == opacities[2])
        #expect(abs(opacities[1] - 2 * opacities[0]) <= 0.011)
    }

    @Test func `steps too narrow for cells are drawn as stretches`() throws {
        let isFull = (0..<1000).map { $0 / 10 % 2 == 0 }
        let row = try #require(
            try Self.cells(PlanStrip(title: "t", rows: [PlanRow(label: "a", isFull: isFull)]).svg()).first)
        #expect(row.count == 100)
        #expect(row[0].tip == "steps 0 to 9: full")
        #expect(row[99].tip == "steps 990 to 999: reused")
    }
}
