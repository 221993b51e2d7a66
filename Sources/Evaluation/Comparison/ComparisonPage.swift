import Caching
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
        let uncached = ImageTable.Row(
            title: "uncached", entries: gallery.pairs.map { ImageTable.Entry(gallery.picture(of: $0, row: nil)) })
        let shown = rows.indices.filter { rows[$0].budget == budget && rows[$0].summary != nil }
        return ImageTable(
            caption: "Budget \(budget.share): PSNR to the uncached image under each; a click enlarges.",
            columns: gallery.pairs.map { "\(classNames.name(of: items[$0].condition)), seed \(items[$0].seed)" },
            rows: [uncached]
                + shown.map { index in
                    ImageTable.Row(
                        title: rows[index].strategy,
                        entries: gallery.pairs.map { pair in
                            ImageTable.Entry(
                                gallery.picture(of: pair, row: index),
                                caption: Self.decibels(rows[index].pairs[pair].psnr))
                        })
                }, shownWidth: 96)
    }

    /// A PSNR with one decimal.
    static func decibels(_ value: Double?) -> String {
        value.map { "\(($0 * 10).rounded() / 10) dB" } ?? "∞"
    }
}
