import Caching
import Reports

extension ComparisonReport {
    /// The table that a person reads: a section per budget, the uncached model above.
    public var table: HTMLTable {
        let timed = secondsFull != nil
        let similar = rows.contains { $0.summary?.ssim != nil }
        var columns = [HTMLTable.Column("strategy"), HTMLTable.Column("evaluations")]
        if timed {
            columns += [HTMLTable.Column("s/image", best: .least), HTMLTable.Column("speed-up", best: .greatest)]
        }
        columns += [
            HTMLTable.Column("mean", group: "PSNR (dB)", best: .greatest),
            HTMLTable.Column("worst", group: "PSNR (dB)", best: .greatest),
            HTMLTable.Column("difference", group: "PSNR (dB)"),
        ]
        if similar {
            columns += [
                HTMLTable.Column("mean", group: "SSIM", best: .greatest),
                HTMLTable.Column("worst", group: "SSIM", best: .greatest),
            ]
        }
        columns += [
            HTMLTable.Column("wins"), HTMLTable.Column("latent error", best: .least), HTMLTable.Column("fine detail"),
        ]
        var sections = budgets.map { budget in
            HTMLTable.Section(
                title: "budget \(budget.share): at most \(budget.evaluations(of: evaluationsFull)) of "
                    + "\(evaluationsFull) evaluations",
                rows: rows.filter { $0.budget == budget }.map {
                    HTMLTable.Row($0.cells(total: evaluationsFull, timed: timed, similar: similar))
                })
        }
        let infinite = HTMLTable.Cell.number(.infinity, digits: 2)
        var uncached: [HTMLTable.Cell] = [.text("uncached"), .number(Double(evaluationsFull), digits: 1)]
        if let secondsFull { uncached += [.number(secondsFull, digits: 3), .number(1, digits: 2, suffix: "×")] }
        uncached += [infinite, infinite]
        sections.insert(HTMLTable.Section(rows: [HTMLTable.Row(uncached, isReference: true)]), at: 0)
        return HTMLTable(columns: columns, sections: sections)
    }

    /// What the columns of ``table`` mean.
    public var legend: String {
        let pairs = items.count
        let infinite = rows.contains { ($0.summary?.psnr.identical ?? 0) > 0 && $0.summary?.psnr.mean != nil }
        return
            "\(pairs) \(pairs == 1 ? "pair" : "pairs") of class and seed, each against its uncached image. PSNR before "
            + "rounding to 8 bits"
            + (infinite ? "; +n∞: n pairs are the same picture, with an infinite PSNR that is in no mean" : "")
            + ". difference: of the PSNR to that of \(reference), pair by pair. wins: the share of pairs in which "
            + "\(reference) has the higher PSNR. latent error: relative, of the final "
            + "latents. fine detail: high-frequency energy over that of the uncached image"
            + (secondsFull == nil
                ? "."
                : ". s/image: median; speed-up: median over the pairs of uncached over cached, at most what their "
                    + "evaluations can give.")
            + " " + MeanInterval.legend
    }
}

extension ComparisonReport.Row {
    fileprivate func cells(total: Int, timed: Bool, similar: Bool) -> [HTMLTable.Cell] {
        guard let summary else {
            return [.text(strategy), .text("needs \(evaluationsNeeded ?? total) of \(total) evaluations")]
        }
        var cells: [HTMLTable.Cell] = [
            .text(strategy), .mean(summary.evaluations, summary.evaluationsInterval, digits: 1),
        ]
        if timed {
            cells += [
                .number(summary.seconds ?? .nan, digits: 3),
                .number(summary.speedUp?.median ?? .nan, digits: 2, suffix: "×"),
            ]
        }
        let same = summary.psnr.mean == nil ? 0 : summary.psnr.identical
        cells += [
            .mean(
                summary.psnr.mean ?? .infinity, summary.psnr.interval, digits: 2,
                suffix: same == 0 ? "" : " +\(same)∞"),
            .number(summary.psnr.worst ?? .infinity, digits: 2),
            summary.psnrDifference.map { .mean($0.mean, $0.interval, digits: 2) } ?? .number(.nan, digits: 2),
        ]
        if similar {
            cells += [
                .mean(summary.ssim?.mean ?? .nan, summary.ssim?.interval, digits: 4),
                .number(summary.ssim?.worst ?? .nan, digits: 4),
            ]
        }
        return cells + [
            summary.wins.map { .number($0 * 100, digits: 0, suffix: " %") } ?? .number(.nan, digits: 0),
            summary.latentError.map { .mean($0.mean, $0.interval, digits: 5) } ?? .text("diverged"),
            .mean(summary.highFrequencyEnergy ?? .nan, summary.highFrequencyEnergyInterval, digits: 3),
        ]
    }
}
