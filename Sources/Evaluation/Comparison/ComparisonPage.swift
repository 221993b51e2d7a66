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
            blocks: [
                .paragraph(conditions), .code(command), .heading("Figures"), .table(table), .paragraph(legend),
                .paragraph(pageLegend),
            ])
        page.blocks.append(.heading("Quality and cost"))
        page.blocks.append(.paragraph("Bars: the interval of 95 % for \(reference); for the others, point at a mark."))
        page.blocks += plots.map { .drawing($0) }
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

    /// What a user meets over what it costs: the worst images, the middle one, and flips.
    private var plots: [SVG] {
        let psnr = "PSNR to the uncached image (dB)"
        let evaluations = ("evaluations per image", { (summary: ComparisonSummary) -> Double? in summary.evaluations })
        var plots = [
            plot("5th percentile over evaluations", evaluations, (psnr, { Estimate($0.fifthPercentile) })),
            plot("Median over evaluations", evaluations, (psnr, { Estimate($0.median) })),
            plot(
                "Flips over evaluations", evaluations,
                ("images below \(Int(ImageMetrics.flipBound)) dB (%)", { Estimate(percentOf: $0.flips) })),
        ]
        if secondsFull != nil {
            plots.append(
                plot(
                    "5th percentile over time", ("seconds per image", \.seconds),
                    (psnr, { Estimate($0.fifthPercentile) })))
        }
        return plots
    }

    /// A finite figure and its interval.
    private struct Estimate {
        let value: Double
        let interval: ClosedRange<Double>?

        private init(_ value: Double, low: Double, high: Double) {
            self.value = value
            // A report that comes from a file may say anything.
            interval = low <= high ? low...high : nil
        }

        init?(_ percentile: DecibelPercentile?) {
            guard let percentile, let value = percentile.value else { return nil }
            self.init(value, low: percentile.low ?? .infinity, high: percentile.high ?? .infinity)
        }

        init?(percentOf share: Proportion?) {
            guard let share else { return nil }
            self.init(share.share * 100, low: share.low * 100, high: share.high * 100)
        }
    }

    private func plot(
        _ title: String, _ cost: (title: String, of: (ComparisonSummary) -> Double?),
        _ quality: (title: String, of: (ComparisonSummary.Decibels) -> Estimate?)
    ) -> SVG {
        let names = rows.reduce(into: [String]()) { if !$0.contains($1.strategy) { $0.append($1.strategy) } }
        let lines = names.map { name in
            QualityPlot.Line(
                label: name,
                points: rows.compactMap { row in
                    guard row.strategy == name, let summary = row.summary, let cost = cost.of(summary),
                        let estimate = quality.of(summary.psnr)
                    else { return nil }
                    return QualityPlot.Point(cost, estimate.value, interval: estimate.interval)
                }, isEmphasised: name == reference)
        }
        return QualityPlot(title: title, xTitle: cost.title, yTitle: quality.title, lines: lines).svg()
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
