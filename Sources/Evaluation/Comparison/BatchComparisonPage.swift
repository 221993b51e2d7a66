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
                .paragraph(pageLegend),
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
        gallery.table(
            caption:
                "Evenly spread over the list; PSNR to the image of \(reference.name) under each; a click enlarges.",
            columns: images.map { "\($0.class), seed \($0.item.seed)" }, reference: reference.name,
            rows: rows.enumerated().map { ($0, $1.batch.name, $1.pairs.map(\.psnr)) })
    }
}

extension BatchComparisonReport {
    /// Whether the seconds of any image are known.
    private var isTimed: Bool { reference.seconds != nil || rows.contains { $0.summary.seconds != nil } }

    /// The table that a person reads: a row per batch, the first above the others.
    public var table: HTMLTable {
        let quality = quality
        var columns = [HTMLTable.Column("batch")] + quality.leading + [HTMLTable.Column("evals")]
        if isTimed {
            columns += [
                HTMLTable.Column("speed-up", best: .greatest), HTMLTable.Column("s/image", best: .least),
            ]
        }
        columns += ["worst", "lower", "upper"].map {
            HTMLTable.Column($0, group: "PSNR (dB)", best: .greatest, isOnPageOnly: true)
        }
        if quality.hasSSIM {
            columns += ["worst", "lower", "median", "upper"].map {
                HTMLTable.Column($0, group: "SSIM", best: .greatest, isOnPageOnly: true)
            }
        }
        columns += quality.perception + [HTMLTable.Column("fine detail", isOnPageOnly: true)]
        let own = HTMLTable.Row(
            [.text(reference.name)] + quality.ofReference + [.number(reference.evaluations, digits: 1)]
                + (isTimed
                    ? [.number(1, digits: 2, suffix: "×"), .number(reference.seconds?.median ?? .nan, digits: 3)] : []),
            isReference: true)
        return HTMLTable(
            columns: columns,
            sections: [
                HTMLTable.Section(rows: [own]),
                HTMLTable.Section(rows: rows.map { HTMLTable.Row($0.cells(timed: isTimed, quality)) }),
            ])
    }

    private var quality: QualityColumns {
        QualityColumns(rows.map { ($0.summary.ssim, $0.summary.haarPSI, $0.summary.flicker) })
    }

    /// What the columns of ``table`` mean that a terminal shows.
    public var legend: String {
        let infinite = rows.contains { $0.summary.psnr.identical > 0 && $0.summary.psnr.mean != nil }
        return "\(extent) of class and seed, each against the image of "
            + "\(reference.name), by their files of 8 bits"
            + (infinite ? "; +n∞: n pairs are the same picture, with an infinite PSNR that is in no mean" : "")
            + ". " + quality.legend
            + (isTimed
                ? " s/image and speed-up: medians, by the manifests; batches are made at different times, so no speed-up "
                    + "is more than the evaluations can give." : "")
            + " " + MeanInterval.legend
    }

    /// What the columns of ``table`` mean that only pages show.
    private var pageLegend: String {
        "lower, median and upper: quartiles. \(QualityColumns.pageLegend) fine detail: high-frequency energy over that of "
            + "the other image."
    }

    /// The farthest pairs of a row, with class and seed so that they can be made again.
    func farthestTable(of row: Row, count: Int) -> HTMLTable {
        HTMLTable(
            caption: "\(row.batch.name): the pairs that differ most",
            ["image", "class", "seed", "PSNR (dB)", "SSIM"],
            rows: farthest(count, in: row).map { image, pair in
                [
                    .number(Double(image.index), digits: 0), .text(image.class),
                    .number(Double(image.item.seed), digits: 0), .number(pair.psnr ?? .infinity, digits: 2),
                    .number(pair.ssim ?? .nan, digits: 4),
                ]
            })
    }
}

extension BatchComparisonReport.Row {
    fileprivate func cells(timed: Bool, _ quality: QualityColumns) -> [HTMLTable.Cell] {
        var cells: [HTMLTable.Cell] =
            [.text(batch.name)] + quality.leading(summary.psnr, summary.ssim, summary.flicker) + [
                .mean(summary.evaluations, summary.evaluationsInterval, digits: 1)
            ]
        if timed {
            cells += [
                .number(summary.speedUp?.median ?? .nan, digits: 2, suffix: "×"),
                .number(summary.seconds?.median ?? .nan, digits: 3),
            ]
        }
        cells += [summary.psnr.worst, summary.psnrQuartiles?.lower, summary.psnrQuartiles?.upper].map {
            .number($0 ?? .infinity, digits: 2)
        }
        if quality.hasSSIM {
            cells += [
                summary.ssim?.worst, summary.ssimQuartiles?.lower, summary.ssimQuartiles?.median,
                summary.ssimQuartiles?.upper,
            ].map { .number($0 ?? .nan, digits: 4) }
        }
        cells += quality.perception(multiScaleSSIM: summary.multiScaleSSIM, haarPSI: summary.haarPSI)
        return cells + [
            .mean(summary.highFrequencyEnergy ?? .nan, summary.highFrequencyEnergyInterval, digits: 3)
        ]
    }
}
