import TestSupport
import Testing

@testable import Media
@testable import Reports

/// Laws of every drawing, whatever it shows.
@Suite struct DrawingTests {
    static let nothing = "no data"

    /// Numbers that are a burden: none, one, equal ones, missing ones, extreme ones.
    static let burdens: [[Double]] = [
        [], [3], [0], [2, 2, 2], [1, .nan, 3, .infinity, -.infinity, 4], [.nan], [.nan, .nan], [1e308, -1e308],
        [.leastNonzeroMagnitude, 3 * .leastNonzeroMagnitude], [0, -1, 5], (0..<300).map { Double($0 * $0) },
        [1, 1 + 1e-15], [-1e99, 1e99],
    ]

    static let awkward = "<&\"'> ]]> \u{0} an axis that has a very long title indeed, longer than any axis is high, 漢字"

    /// Every kind of drawing of the same numbers.
    static func drawings(_ values: [Double], title: String = "t") -> [SVG] {
        let marks = [
            PlanRow(label: title, isFull: values.map { $0 > 1 }), PlanRow(label: "b", isFull: [true, false, true]),
        ]
        let positions = values.map { SIMD3($0, -$0, $0 / 2) }
        return [AxisScale.linear, .logarithmic].flatMap { scale in
            [[], marks].flatMap { marks in
                [
                    LineChart(
                        title: title, caption: title, xTitle: title, yTitle: title,
                        series: [
                            LineChart.Series(label: title, y: values, spread: values.reversed()),
                            LineChart.Series(label: "b", x: values, y: values),
                        ], yScale: scale, including: [1], marks: marks
                    ).svg(),
                    HeatMap(
                        title: title, caption: title, xTitle: title, yTitle: title, valueTitle: title,
                        rows: [
                            HeatMap.Row(label: title, values: values), HeatMap.Row(label: "b", values: [1]),
                        ], scale: scale, marks: marks
                    ).svg(),
                ]
            } + [
                QualityPlot(
                    title: title, xTitle: title, yTitle: title,
                    lines: [
                        QualityPlot.Line(
                            label: title, points: values.map { QualityPlot.Point($0, -$0) }, isEmphasised: true),
                        QualityPlot.Line(label: "b", points: values.map { QualityPlot.Point($0, $0) }),
                    ], xScale: scale
                ).svg()
            ]
        } + [
            PathPlot(
                title: title, caption: title, runs: [positions, []], mean: positions, reusedShares: values
            ).svg(),
            PlanStrip(title: title, caption: title, rows: marks).svg(), PlanStrip(title: title, rows: []).svg(),
        ]
    }

    @Test(arguments: burdens)
    func `every drawing is well-formed, finite and within its borders`(values: [Double]) throws {
        for drawing in Self.drawings(values) {
            try Self.check(drawing)
            let lower = drawing.text.lowercased()
            #expect(!lower.contains("nan") && !lower.contains("inf"))
        }
    }

    @Test func `titles and labels of any kind and length stand within the drawing, character by character`() throws {
        for drawing in Self.drawings([1, 2, 3], title: Self.awkward) {
            try Self.check(drawing)
            let root = try XMLNode.parse(drawing.text)
            #expect(root.tip == Self.awkward.replacing("\u{0}", with: "\u{FFFD}"))
        }
    }

    @Test func `the same input is drawn in the same bytes`() {
        for values in Self.burdens { #expect(Self.drawings(values) == Self.drawings(values)) }
    }

    @Test func `drawings refer to nothing outside and name nothing`() {
        for drawing in Self.drawings([1, 2, 3]) {
            #expect(!["href", "url(", " id=", "src="].contains { drawing.text.contains($0) })
            #expect(drawing.text.ranges(of: "http").count == 1)
        }
    }

    @Test func `a drawing of nothing says so`() throws {
        let empty = [
            LineChart(title: "t", yTitle: "y", series: []).svg(),
            LineChart(title: "t", yTitle: "y", series: [LineChart.Series(label: "a", y: [.nan])]).svg(),
            HeatMap(title: "t", yTitle: "y", valueTitle: "v", rows: []).svg(),
            PathPlot(title: "t", runs: [], mean: []).svg(),
            QualityPlot(title: "t", xTitle: "x", lines: [QualityPlot.Line(label: "a", points: [])]).svg(),
        ]
        for drawing in empty {
            #expect(try XMLNode.parse(drawing.text).all("text").contains { $0.text == Self.nothing })
        }
        for drawing in Self.drawings([1, 2]) { #expect(!drawing.text.contains(Self.nothing)) }
    }

    @Test func `colours of the map grow lighter from end to end`() {
        let lightness = (0...100).map { step in
            let colour = ColourMap.colour(at: Double(step) / 100)
            return 0.2126 * Self.linear(colour.red) + 0.7152 * Self.linear(colour.green)
                + 0.0722 * Self.linear(colour.blue)
        }
        #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ColourMap.colour(at: -1) == ColourMap.colour(at: 0))
        #expect(ColourMap.colour(at: 7) == ColourMap.colour(at: 1))
    }

    @Test func `the first 42 series look different, even without their dashes`() {
        let looks = (0..<42).map { index -> String in
            let style = Palette.style(at: index)
            return "\(style.colour) \(style.marker)"
        }
        #expect(Set(looks).count == 42)
    }

    @Test func `colours are written as six digits`() {
        #expect(Colour(hexadecimal: 0x0A0BFF).hexadecimal == "#0a0bff")
        #expect(Colour(hexadecimal: 0x0A0BFF) == Colour(red: 10, green: 11, blue: 255))
    }

    /// The light that an sRGB sample stands for (IEC 61966-2-1), near enough for comparing.
    static func linear(_ sample: UInt8) -> Double {
        let share = Double(sample) / 255
        return share * share * (0.2 + 0.8 * share)
    }

    /// Whether a drawing can be read, and every shape and text lies within its borders.
    static func check(_ drawing: SVG) throws {
        let root = try XMLNode.parse(drawing.text)
        #expect(root.name == "svg")
        #expect(root.number("width") == Double(drawing.width))
        #expect(root.number("height") == Double(drawing.height))
        #expect(drawing.width == 900)
        let outside = root.everything.filter { node in
            corners(of: node).contains { corner in
                // What is not a number is not within either.
                !((-0.01...Double(drawing.width) + 0.01).contains(corner.x)
                    && (-0.01...Double(drawing.height) + 0.01).contains(corner.y))
            }
        }
        #expect(outside.map { "\($0.name) \($0.attributes) \($0.text)" } == [])
    }

    /// Points that an element reaches.
    static func corners(of node: XMLNode) -> [(x: Double, y: Double)] {
        switch node.name {
        case "rect":
            let (x, y) = (node.number("x"), node.number("y"))
            return [(x, y), (x + node.number("width"), y + node.number("height"))]
        case "circle":
            return [(node.number("cx"), node.number("cy"))]
        case "line":
            return [(node.number("x1"), node.number("y1")), (node.number("x2"), node.number("y2"))]
        case "polyline", "polygon":
            return points(of: node)
        case "text":
            let (x, y, size) = (node.number("x"), node.number("y"), node.number("font-size"))
            let width = TextWidth.of(node.text, size: size)
            let start = ["start": 0, "middle": -width / 2, "end": -width][node.attributes["text-anchor"]] ?? .nan
            guard node.attributes["transform"] == nil else {
                return [(x - size, y - start), (x, y - start - width)]
            }
            return [(x + start, y - size), (x + start + width, y)]
        default:
            return []
        }
    }

    /// The points of a polyline or polygon.
    static func points(of node: XMLNode) -> [(x: Double, y: Double)] {
        (node.attributes["points"] ?? "").split(separator: " ").map { point in
            let numbers = point.split(separator: ",").map { Double($0) ?? .nan }
            return numbers.count == 2 ? (x: numbers[0], y: numbers[1]) : (x: .nan, y: .nan)
        }
    }
}
