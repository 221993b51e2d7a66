import Reports

extension ComparisonReport {
    /// The table that a person reads: a section per budget, the uncached model above.
    public var table: HTMLTable {
        let quality = quality
        let timed = secondsFull != nil
        var columns = [HTMLTable.Column("strategy")] + quality.leading + [HTMLTable.Column("evals")]
        if timed {
            columns += [
                HTMLTable.Column("speed-up", best: .greatest),
                HTMLTable.Column("s/image", best: .least, isOnPageOnly: true),
            ]
        }
        columns += [
            HTMLTable.Column("worst", group: "PSNR (dB)", best: .greatest, isOnPageOnly: true),
            HTMLTable.Column("difference", group: "PSNR (dB)", isOnPageOnly: true),
            HTMLTable.Column("wins", isOnPageOnly: true),
        ]
        if quality.hasSSIM { columns.append(HTMLTable.Column("worst SSIM", best: .greatest, isOnPageOnly: true)) }
        columns += quality.perception
        columns += [
            HTMLTable.Column("latent error", best: .least, isOnPageOnly: true),
            HTMLTable.Column("fine detail", isOnPageOnly: true),
        ]
        var sections = budgets.map { budget in
            HTMLTable.Section(
                title: "budget \(budget.share): at most \(budget.evaluations(of: evaluationsFull)) of "
                    + "\(evaluationsFull) evaluations",
                rows: rows.filter { $0.budget == budget }.map {
                    HTMLTable.Row($0.cells(total: evaluationsFull, timed: timed, quality))
                })
        }
        var uncached: [HTMLTable.Cell] =
            [.text("uncached")] + quality.ofReference + [.number(Double(evaluationsFull), digits: 1)]
        if let secondsFull { uncached += [.number(1, digits: 2, suffix: "×"), .number(secondsFull, digits: 3)] }
        sections.insert(HTMLTable.Section(rows: [HTMLTable.Row(uncached, isReference: true)]), at: 0)
        return HTMLTable(columns: columns, sections: sections)
    }

    private var quality: QualityColumns {
        QualityColumns(rows.map { ($0.summary?.ssim, $0.summary?.haarPSI, $0.summary?.flicker) })
    }

    /// What the columns of ``table`` mean that a terminal shows.
    public var legend: String {
        let pairs = items.count
        let infinite = rows.contains { ($0.summary?.psnr.identical ?? 0) > 0 && $0.summary?.psnr.mean != nil }
        return
            "\(pairs) \(pairs == 1 ? "pair" : "pairs") of class and seed, each against its uncached image. PSNR before "
            + "rounding to 8 bits"
            + (infinite ? "; +n∞: n pairs are the same picture, with an infinite PSNR that is in no mean" : "")
            + ". " + quality.legend
            + (secondsFull == nil
                ? ""
                : " speed-up: median over the pairs of uncached over cached time, at most what their evaluations can give.")
            + " " + MeanInterval.legend + promises.map { " " + $0 }.joined()
    }

    /// One sentence for each promise.
    private var promises: [String] {
        rows.compactMap { row in
            row.promise.map { promise in
                "\(row.strategy) at \(row.budget.share) was to keep \((promise.decibels * 10).rounded() / 10) dB for 95 % of "
                    + "images: \(promise.kept.percent) % did (\(promise.kept.percentInterval))."
            }
        }
    }

    /// What the columns of ``table`` mean that only pages show.
    var pageLegend: String {
        "difference: of the PSNR to that of \(reference), pair by pair. wins: the share of pairs in which \(reference) has "
            + "the higher PSNR. \(QualityColumns.pageLegend) latent error: relative, of the final latents. fine detail: "
            + "high-frequency energy over that of the uncached image."
            + (secondsFull == nil ? "" : " s/image: median.")
    }
}

extension ComparisonReport.Row {
    fileprivate func cells(total: Int, timed: Bool, _ quality: QualityColumns) -> [HTMLTable.Cell] {
        guard let summary else {
            return [.text(strategy), .text("needs \(evaluationsNeeded ?? total) of \(total) evaluations")]
        }
        var cells: [HTMLTable.Cell] =
            [.text(strategy)] + quality.leading(summary.psnr, summary.ssim, summary.flicker) + [
                .mean(summary.evaluations, summary.evaluationsInterval, digits: 1)
            ]
        if timed {
            cells += [
                .number(summary.speedUp?.median ?? .nan, digits: 2, suffix: "×"),
                .number(summary.seconds ?? .nan, digits: 3),
            ]
        }
        cells += [
            .number(summary.psnr.worst ?? .infinity, digits: 2),
            summary.psnrDifference.map { .mean($0.mean, $0.interval, digits: 2) } ?? .number(.nan, digits: 2),
            summary.wins.map { .number($0 * 100, digits: 0, suffix: " %") } ?? .number(.nan, digits: 0),
        ]
        if quality.hasSSIM { cells.append(.number(summary.ssim?.worst ?? .nan, digits: 4)) }
        cells += quality.perception(multiScaleSSIM: summary.multiScaleSSIM, haarPSI: summary.haarPSI)
        return cells + [
            summary.latentError.map { .mean($0.mean, $0.interval, digits: 5) } ?? .text("diverged"),
            .mean(summary.highFrequencyEnergy ?? .nan, summary.highFrequencyEnergyInterval, digits: 3),
        ]
    }
}
