import TestSupport
import Testing

@testable import Media
@testable import Reports

/// The text under a drawing's title.
@Suite struct CaptionTests {
    private static let words = (0..<60).map { "word\($0)" }

    private func chart(_ caption: String) -> SVG {
        LineChart(
            title: "t", caption: caption, yTitle: "y", series: [LineChart.Series(label: "a", y: [1, 2])]
        ).svg()
    }

    @Test func `a long caption is broken between words, loses none and fits the drawing`() throws {
        let drawing = chart(Self.words.joined(separator: " "))
        let lines = try XMLNode.parse(drawing.text).all("text").filter { $0.text.hasPrefix("word") }
        #expect(lines.count > 1)
        #expect(lines.flatMap { $0.text.split(separator: " ").map(String.init) } == Self.words)
        for line in lines {
            let end = line.number("x") + TextWidth.of(line.text, size: line.number("font-size"))
            #expect(end <= Double(drawing.width))
        }
    }

    @Test func `a caption moves everything under it down by its own height`() throws {
        let (plain, told) = (chart(""), chart(Self.words.joined(separator: " ")))
        let tops = try [plain, told].map { try #require(XMLNode.parse($0.text).all("polyline").first) }
            .map { DrawingTests.points(of: $0)[0].y }
        #expect(told.height > plain.height)
        #expect(Double(told.height - plain.height) == tops[1] - tops[0])
    }

    @Test func `a word wider than the drawing is cut`() throws {
        let lines = try XMLNode.parse(chart(String(repeating: "m", count: 500)).text).all("text")
        #expect(lines.contains { $0.text.hasPrefix("mmm") && $0.text.hasSuffix("…") })
    }
}
