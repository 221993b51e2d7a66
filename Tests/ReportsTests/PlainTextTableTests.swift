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

    @Test func `a group's name has room over its columns`() {
        let table = HTMLTable(
            caption: "figures",
            columns: [HTMLTable.Column("a", group: "a long name"), HTMLTable.Column("b", group: "c")],
            sections: [HTMLTable.Section(rows: [HTMLTable.Row([.number(1, digits: 0), .number(2, digits: 0)])])])
        #expect(table.plainText == "figures\na long name  c\n          a  b\n          1  2\n")
    }
}
