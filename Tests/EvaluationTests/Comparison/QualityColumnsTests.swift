import Testing

@testable import Evaluation
@testable import Reports

/// The columns on quality that all comparisons have.
@Suite struct QualityColumnsTests {
    private static let psnr = ComparisonSummary.Decibels(
        (0..<129).map { image -> Double? in image < 3 ? 20.04 : image == 128 ? nil : 90 + Double(image) / 20 })
    private static let ssim = ComparisonSummary.MeanAndWorst((0..<129).map { 1 - Double($0) / 4000 }) { $0.min() }

    private static let flicker = ComparisonSummary.MeanAndWorst(flickers: (0..<129).map { Double($0) / 4000 - 0.017 })

    private func table(_ columns: QualityColumns) -> HTMLTable {
        HTMLTable(
            columns: [HTMLTable.Column("strategy")] + columns.leading
                + [HTMLTable.Column("evals"), HTMLTable.Column("speed-up")] + columns.perception,
            sections: [
                HTMLTable.Section(rows: [
                    HTMLTable.Row(
                        [.text("fewer-steps:dpm++2m")] + columns.leading(Self.psnr, Self.ssim, Self.flicker)
                            + [.number(249.7, digits: 1, margin: 0.1), .number(12.34, digits: 2, suffix: "×")]
                            + columns.perception(multiScaleSSIM: Self.ssim, haarPSI: Self.ssim))
                ])
            ])
    }

    @Test func `a terminal shows what a user meets in less than 120 columns, below 100 dB`() throws {
        let lines = table(QualityColumns([(Self.ssim, Self.ssim, nil)])).plainText.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 120 }, "\(lines)")
        let heads = try #require(lines.dropFirst().first)
        let order = ["5th pct", "flips %", "median", "SSIM", "mean PSNR", "evals"].map {
            heads.range(of: $0)?.lowerBound
        }
        let places = order.compactMap { $0 }
        #expect(places.count == order.count && places == places.sorted())
        // The worst three of 129 are flips; the interval of the 5th percentile is from the 2nd to the 13th worst.
        let cells = ["90.3 20.0–90.6", "2.3 0.8–6.6", "93.2 92.6–93.8"]
        #expect(cells.allSatisfy(lines[2].contains), "\(lines[2])")
        #expect(lines[2].contains("+1∞") && !lines[0].contains("MS-SSIM"))
    }

    @Test func `flicker has a column for clips alone, and a terminal shows it in less than 132 columns`() throws {
        let columns = QualityColumns([(Self.ssim, Self.ssim, Self.flicker)])
        let lines = table(columns).plainText.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 132 }, "\(lines)")
        #expect(lines[1].contains("flicker %") && lines[2].contains(" -0.10"), "\(lines)")
        #expect(columns.legend.contains("flicker") && columns.leading.count == columns.ofReference.count)
        let images = QualityColumns([(Self.ssim, Self.ssim, nil)])
        #expect(!images.leading.contains { $0.title == "flicker %" } && !images.legend.contains("flicker"))
    }

    @Test func `the worst flicker is the one farthest from none, on either side`() {
        #expect(ComparisonSummary.MeanAndWorst(flickers: [0.25, -0.75, nil, 0.5])?.worst == -0.75)
        #expect(ComparisonSummary.MeanAndWorst(flickers: [0.25, -0.75, nil, 0.5])?.mean == 0)
        #expect(ComparisonSummary.MeanAndWorst(flickers: [nil, nil]) == nil)
    }

    @Test func `pictures that are too small for a measure have no column for it`() {
        let none = QualityColumns([(nil, nil, nil)])
        #expect(none.perception.isEmpty && !none.leading.contains { $0.title == "SSIM" })
        #expect(QualityColumns([(Self.ssim, nil, nil)]).perception.map(\.group) == ["MS-SSIM", "MS-SSIM"])
        for columns in [
            none, QualityColumns([(Self.ssim, nil, nil)]),
            QualityColumns([(nil, nil, nil), (Self.ssim, Self.ssim, nil)]),
        ] {
            #expect(columns.leading.count == columns.leading(Self.psnr, Self.ssim, nil).count)
            #expect(columns.leading.count == columns.ofReference.count)
            #expect(
                columns.perception.count == columns.perception(multiScaleSSIM: Self.ssim, haarPSI: Self.ssim).count)
        }
    }
}
