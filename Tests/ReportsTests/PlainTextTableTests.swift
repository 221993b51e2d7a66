import Media
import Reports
import Testing

/// Tables for terminals.
@Suite struct PlainTextTableTests {
    @Test func `columns line up, numbers to the right, and a text that ends a row runs on`() {
        let table = HTMLTable(
            columns: [
                HTMLTable.Column("name"), HTMLTable.Column("n"), HTMLTable.Column("mean", group: "PSNR (dB)"),
                HTMLTable.Column("worst", group: "PSNR (dB)"), HTMLTable.Column("wins"),
            ],
            sections: [
                HTMLTable.Section(rows: [HTMLTable.Row([.text("whole"), .number(100, digits: 0)])]),
                HTMLTable.Section(
                    title: "half",
                    rows: [
                        HTMLTable.Row([
                            .text("a longer name"), .number(50, digits: 0), .number(41.256, digits: 2, suffix: " +1∞"),
                            .number(.infinity, digits: 2), .number(.nan, digits: 0),
                        ]),
                        HTMLTable.Row([.text("none"), .text("cannot be had for this little")]),
                        HTMLTable.Row([
                            .text("b"), .number(5, digits: 0), .number(4, digits: 2), .number(-3.125, digits: 2),
                            .number(75, digits: 0, suffix: " %"),
                        ]),
                    ]),
            ])
        let expected = """
                                PSNR (dB)
            name             n       mean  worst  wins
            whole          100
            half
            a longer name   50  41.26 +1∞      ∞     –
            none           cannot be had for this little
            b                5       4.00  -3.12  75 %

            """
        #expect(table.plainText == expected)
    }

    @Test func `an estimate shows its interval, and columns for pages are left out`() throws {
        let table = HTMLTable(
            columns: [
                HTMLTable.Column("name"), HTMLTable.Column("5th", group: "PSNR", best: .greatest),
                HTMLTable.Column("worst", group: "PSNR", isOnPageOnly: true), HTMLTable.Column("n"),
            ],
            sections: [
                HTMLTable.Section(rows: [
                    HTMLTable.Row([
                        .text("a"), .estimate(41.26, low: 0, high: .infinity, digits: 1), .number(7, digits: 0),
                        .number(1, digits: 0),
                    ]),
                    HTMLTable.Row([.text("b"), .text("cannot")]),
                    HTMLTable.Row([
                        .text("c"), .estimate(.nan, low: 0, high: 1, digits: 1), .number(8, digits: 0),
                        .number(2, digits: 0),
                    ]),
                    HTMLTable.Row([
                        .text("d"), .estimate(50, low: 49, high: 51.06, digits: 1), .number(9, digits: 0),
                        .number(3, digits: 0),
                    ]),
                ])
            ])
        let expected = """
            \("")      PSNR
            name             5th  n
            a         41.3 0.0–∞  1
            b     cannot
            c                  –  2
            d     50.0 49.0–51.1  3

            """
        #expect(table.plainText == expected)
        let page = try HTMLPage(title: "t", blocks: [.table(table)]).text()
        #expect(page.contains("worst") && page.contains(#"<td class="number best">50.0 49.0–51.1</td>"#))
    }

    @Test func `a group's name has room over its columns`() {
        let table = HTMLTable(
            caption: "figures",
            columns: [HTMLTable.Column("a", group: "a long name"), HTMLTable.Column("b", group: "c")],
            sections: [HTMLTable.Section(rows: [HTMLTable.Row([.number(1, digits: 0), .number(2, digits: 0)])])])
        #expect(table.plainText == "figures\na long name  c\n          a  b\n          1  2\n")
    }
}
