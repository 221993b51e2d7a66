import Caching
import Media
import Pipeline
import Reports

extension ComparisonReport {
    /// The report for a person: the table, quality over time and over evaluations, a few pairs side by side.
    ///
    /// - Parameters:
    ///   - gallery: the pictures.
    ///   - classNames: the model's classes.
    ///   - command: what reproduces it.
    /// - Returns: the page.
    public func page(gallery: ComparisonGallery, classNames: ClassNames, command: String) -> HTMLPage {
        var page = HTMLPage(
            title: "\(model.name): strategies compared",
            blocks: [.paragraph(conditions), .code(command), .heading("Figures"), .table(table), .paragraph(legend)])
        page.blocks.append(.heading("Quality and cost"))
        if secondsFull != nil {
            page.blocks.append(.drawing(plot("Quality over time", "seconds per image", \.seconds)))
        }
        page.blocks.append(.drawing(plot("Quality over evaluations", "evaluations per image", \.evaluations)))
        page.blocks.append(.heading("Side by side"))
        for budget in budgets {
            page.blocks.append(.images(images(at: budget, gallery: gallery, classNames: classNames)))
        }
        return page
    }

    private var conditions: String {
        let time = threads.map { ", time measured with \($0) \($0 == 1 ? "thread" : "threads")" } ?? ""
        let seeds = items.map(\.seed)
        let range = seeds.min() == seeds.max() ? "seed \(seeds[0])" : "seeds \(seeds[0]) to \(seeds[seeds.count - 1])"
        return "\(settings.steps) steps of \(settings.sampler.kind.rawValue), guidance \(settings.guidanceScale), "
            + "\(items.count) images (\(range))\(time), omnicache \(versions.omnicache), \(versions.openblas). "
            + "Calibrated on other seeds."
    }

    private func plot(
        _ title: String, _ xTitle: String, _ cost: (ComparisonSummary) -> Double?
    ) -> SVG {
        let names = rows.reduce(into: [String]()) { if !$0.contains($1.strategy) { $0.append($1.strategy) } }
        let lines = names.map { name in
            QualityPlot.Line(
                label: name,
                points: rows.compactMap { row in
                    guard row.strategy == name, let summary = row.summary, let x = cost(summary),
                        let y = summary.psnr.mean
                    else { return nil }
                    return SIMD2(x, y)
                }, isEmphasised: name == reference)
        }
        return QualityPlot(title: title, xTitle: xTitle, lines: lines).svg()
    }

    /// One row per strategy that reaches the budget, one column per shown pair.
    private func images(at budget: Budget, gallery: ComparisonGallery, classNames: ClassNames) -> ImageTable {
        let shown = rows.indices.filter { rows[$0].budget == budget && rows[$0].summary != nil }
        return gallery.table(
            caption: "Budget \(budget.share): PSNR to the uncached image under each; a click enlarges.",
            columns: items.map { "\(classNames.name(of: $0.condition)), seed \($0.seed)" }, reference: "uncached",
            rows: shown.map { ($0, rows[$0].strategy, rows[$0].pairs.map(\.psnr)) })
    }
}

extension ComparisonReport {
    /// The table that a person reads: a section per budget, the uncached model above.
    public var table: HTMLTable {
        let timed = secondsFull != nil
        let similar = rows.contains { $0.summary?.ssim != nil }
        var columns = [HTMLTable.Column("strategy"), HTMLTable.Column("evaluations")]
        if timed {
            columns += [HTMLTable.Column("s/image", best: .least), HTMLTable.Column("speed-up", best: .greatest)]
        }
        columns += ["mean", "worst"].map { HTMLTable.Column($0, group: "PSNR (dB)", best: .greatest) }
        columns.append(HTMLTable.Column("difference", group: "PSNR (dB)"))
        if similar { columns += ["mean", "worst"].map { HTMLTable.Column($0, group: "SSIM", best: .greatest) } }
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

/// A few pairs' pictures under every strategy, chosen by their place in the list and not by their looks.
public struct ComparisonGallery: Sendable {
    /// The most pairs that are shown.
    private static let mostPairs = 4

    /// The pairs that are shown, evenly spread over all.
    public let pairs: [Int]

    private var uncached: [Int: Image] = [:]
    private var pictures: [Int: [Int: Image]] = [:]

    /// An empty gallery of `pairs` pairs.
    public init(pairs: Int) {
        let count = min(pairs, Self.mostPairs)
        self.pairs = (0..<count).map { $0 * pairs / count }
    }

    /// Adds a picture, if its pair is shown.
    ///
    /// - Parameters:
    ///   - picture: the picture.
    ///   - pair: its pair.
    ///   - row: the report's row that it belongs to; nil for the uncached picture.
    public mutating func add(_ picture: Image, of pair: Int, row: Int?) {
        guard pairs.contains(pair) else { return }
        if let row { pictures[row, default: [:]][pair] = picture } else { uncached[pair] = picture }
    }

    /// The picture of a pair under the strategy of a row; the uncached one for nil.
    public func picture(of pair: Int, row: Int?) -> Image? {
        row.map { pictures[$0]?[pair] } ?? uncached[pair]
    }

    /// The shown pairs side by side: a row for the pictures compared with, and one for each of `rows`, with PSNRs.
    ///
    /// `columns` and the PSNRs of a row have one element for each pair, shown or not.
    func table(
        caption: String, columns: [String], reference: String, rows: [(index: Int, title: String, psnr: [Double?])]
    ) -> ImageTable {
        ImageTable(
            caption: caption, columns: pairs.map { columns[$0] },
            rows: [
                ImageTable.Row(title: reference, entries: pairs.map { ImageTable.Entry(picture(of: $0, row: nil)) })
            ]
                + rows.map { row in
                    ImageTable.Row(
                        title: row.title,
                        entries: pairs.map { pair in
                            ImageTable.Entry(
                                picture(of: pair, row: row.index),
                                caption: row.psnr[pair].map { "\(($0 * 10).rounded() / 10) dB" } ?? "∞")
                        })
                }, shownWidth: 96)
    }
}

extension HTMLTable.Cell {
    /// A mean, and the interval around it, if there is one.
    static func mean(_ mean: Double, _ interval: MeanInterval?, digits: Int, suffix: String = "") -> Self {
        .number(mean, digits: digits, margin: interval?.half ?? 0, suffix: suffix)
    }
}

extension MeanInterval {
    /// What ± says in a table.
    static let legend = "±: the interval of 95 % around a mean, over the images (Student's t; of a difference, paired)."
}
