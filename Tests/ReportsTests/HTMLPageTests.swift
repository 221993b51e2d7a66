import TestSupport
import Testing

@testable import Media
@testable import Reports

@Suite struct HTMLPageTests {
    static let images = (0..<3).map(image)

    /// 8 x 6 pixels without structure, grey or in colour.
    private static func image(_ index: Int) -> Image {
        let channels = index == 1 ? 1 : 3
        let pixels = (0..<48 * channels).map { UInt8((($0 * 2_654_435_761 + index * 40503) >> 13) & 255) }
        return Image(width: 8, height: 6, channels: channels, pixels: pixels)
    }

    static func page() -> HTMLPage {
        let awkward = "<script>alert(\"1\")</script> & 'more'"
        let drawing = PlanStrip(title: awkward, rows: [PlanRow(label: awkward, isFull: [true, false])]).svg()
        return HTMLPage(
            title: awkward,
            blocks: [
                .heading(awkward), .paragraph(awkward), .code(awkward), .drawing(drawing, caption: awkward),
                .table(
                    HTMLTable(
                        caption: awkward, columns: [HTMLTable.Column(awkward, group: awkward)],
                        sections: [
                            HTMLTable.Section(title: awkward, rows: [HTMLTable.Row([.text(awkward)])])
                        ])),
                .images(
                    ImageTable(
                        caption: awkward, columns: ["a", awkward],
                        rows: [
                            ImageTable.Row(
                                title: awkward,
                                entries: [
                                    ImageTable.Entry(Clip(images[0]), caption: awkward),
                                    ImageTable.Entry(Clip(images[1])),
                                ]),
                            ImageTable.Row(
                                title: "b", entries: [ImageTable.Entry(nil), ImageTable.Entry(Clip(images[2]))]),
                            ImageTable.Row(title: "c", entries: []),
                        ])),
            ])
    }

    @Test func `a page is well-formed and every text stands for itself`() throws {
        let page = try Self.page().text()
        #expect(page.hasPrefix("<!DOCTYPE html>\n"))
        let root = try XMLNode.parse(page)
        #expect(root.name == "html")
        #expect(root.all("script").isEmpty)
        let awkward = Self.page().title
        for name in ["h1", "h2", "p", "pre", "figcaption", "caption", "td"] {
            #expect(root.all(name).contains { $0.text == awkward }, "\(name)")
        }
        #expect(root.all("head")[0].all("title").map(\.text) == [awkward])
        #expect(
            root.all("img").map { $0.attributes["alt"] ?? "" } == [
                "\(awkward), a", "\(awkward), \(awkward)", "b, \(awkward)",
            ])
        #expect(try Self.page().bytes() == Array(page.utf8))
    }

    @Test func `embedded images decode to the pixels they were made of`() throws {
        let root = try XMLNode.parse(try Self.page().text())
        let start = "data:image/png;base64,"
        let decoded = try root.all("img").map { image -> Image in
            let source = try #require(image.attributes["src"])
            #expect(source.hasPrefix(start))
            return try PNGReader.decode(try decodeBase64(String(source.dropFirst(start.count))))
        }
        #expect(decoded == Self.images)
    }

    @Test func `a page loads nothing`() throws {
        let root = try XMLNode.parse(try Self.page().text())
        let references = root.everything.flatMap { node in
            ["src", "href", "srcset", "data", "action"].compactMap { node.attributes[$0] }
        }
        #expect(references.count == 3)
        #expect(references.allSatisfy { $0.hasPrefix("data:") })
        #expect(!HTMLStyle.sheet.contains("url(") && !HTMLStyle.sheet.contains("@import"))
        let policy = root.all("meta").first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
        #expect(policy?.attributes["content"]?.hasPrefix("default-src 'none'") == true)
    }

    @Test func `the same content makes the same page`() throws {
        #expect(try Self.page().text() == Self.page().text())
    }

    /// The cells of a table, by rows.
    static func cells(_ table: HTMLTable) throws -> [[XMLNode]] {
        let root = try XMLNode.parse(try HTMLPage(title: "t", blocks: [.table(table)]).text())
        return root.all("tr").map(\.children)
    }

    @Test func `the best of each section is bold, the reference and what is missing aside`() throws {
        let columns = [
            HTMLTable.Column("strategy"), HTMLTable.Column("dB", best: .greatest),
            HTMLTable.Column("s", best: .least), HTMLTable.Column("calls"),
        ]
        func row(_ quality: Double, _ seconds: Double, isReference: Bool = false) -> HTMLTable.Row {
            HTMLTable.Row(
                [
                    .text("a"), .number(quality, digits: 1), .number(seconds, digits: 2, suffix: " s"),
                    .number(5, digits: 0),
                ], isReference: isReference)
        }
        let table = HTMLTable(
            columns: columns,
            sections: [
                HTMLTable.Section(title: "one", rows: [row(99, 0, isReference: true), row(30.04, 2), row(29.96, 1)]),
                HTMLTable.Section(title: "two", rows: [row(.infinity, .nan), row(20, 3), row(-.infinity, 4)]),
                HTMLTable.Section(title: "three", rows: [row(50, 5)]),
            ])
        let rows = try Self.cells(table)
        let bold = rows.map { row in
            row.indices.filter { row[$0].attributes["class"]?.contains("best") == true }
        }
        // Head; title and rows of "one": 30.04 and 29.96 are both printed as 30.0; "two"; "three", a row alone.
        #expect(bold == [[], [], [], [1], [1, 2], [], [1], [2], [], [], []])
        #expect(rows[6].map(\.text) == ["a", "∞", "–", "5"])
        #expect(rows[7].map(\.text) == ["a", "20.0", "3.00 s", "5"])
        #expect(rows[2].allSatisfy { $0.name == "td" })
        #expect(rows[2].map { $0.attributes["class"] } == [nil, "number", "number", "number"])
        #expect(rows[0].map { $0.attributes["class"] } == [nil, "number", "number", "number"])
    }

    @Test func `neighbours of one group share a heading, and short rows are filled up`() throws {
        let columns = [
            HTMLTable.Column("a"), HTMLTable.Column("b", group: "g"), HTMLTable.Column("c", group: "g"),
            HTMLTable.Column("d", group: "h"),
        ]
        let table = HTMLTable(columns: columns, sections: [HTMLTable.Section(rows: [HTMLTable.Row([.text("x")])])])
        let rows = try Self.cells(table)
        #expect(rows[0].map(\.text) == ["", "g", "h"])
        #expect(rows[0].map { $0.attributes["colspan"] } == ["1", "2", "1"])
        #expect(rows[1].map(\.text) == ["a", "b", "c", "d"])
        #expect(rows[2].map(\.text) == ["x", "", "", ""])
    }
}
