import Reports

extension BatchComparisonReport {
    /// How many of the farthest pairs a page names.
    private static let farthestShown = 10

    /// The report for a person: the table, the pairs that differ most, a few pairs side by side.
    ///
    /// - Parameters:
    ///   - gallery: the pictures.
    ///   - command: what reproduces it.
    /// - Returns: the page.
    public func page(gallery: ComparisonGallery, command: String) -> HTMLPage {
        var page = HTMLPage(
            title: "\(reference.model.name): batches compared",
            blocks: [
                .paragraph(conditions), .code(command), .heading("Figures"), .table(table), .paragraph(legend),
                .heading("Farthest"),
            ])
        page.blocks += rows.map { .table(farthestTable(of: $0, count: Self.farthestShown)) }
        page.blocks += [.heading("Side by side"), .images(pictures(gallery))]
        return page
    }

    /// What each batch is, by its `run.json`.
    private var conditions: String {
        ([reference] + rows.map(\.batch)).map { batch in
            let settings = batch.variants.map { variant in
                "\(variant.settings.steps) steps of \(variant.settings.sampler.kind.rawValue), guidance "
                    + "\(variant.settings.guidanceScale), \(variant.evaluations) of \(variant.evaluationsFull) evaluations"
                    + (variant.planner.map { " by \($0)+\(variant.forecaster ?? "")" } ?? "")
            }
            return "\(batch.name): model \(batch.model.name), \(settings.joined(separator: "; "))."
        }.joined(separator: " ") + " Read by omnicache \(versions.omnicache)."
    }

    private func pictures(_ gallery: ComparisonGallery) -> ImageTable {
        ImageTable(
            caption:
                "Evenly spread over the list; PSNR to the image of \(reference.name) under each; a click enlarges.",
            columns: gallery.pairs.map { "\(images[$0].class), seed \(images[$0].item.seed)" },
            rows: [
                ImageTable.Row(
                    title: reference.name,
                    entries: gallery.pairs.map { ImageTable.Entry(gallery.picture(of: $0, row: nil)) })
            ]
                + rows.enumerated().map { index, row in
                    ImageTable.Row(
                        title: row.batch.name,
                        entries: gallery.pairs.map { pair in
                            ImageTable.Entry(
                                gallery.picture(of: pair, row: index),
                                caption: ComparisonReport.decibels(row.pairs[pair].psnr))
                        })
                }, shownWidth: 96)
    }
}
