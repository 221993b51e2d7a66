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
        let similar = rows.contains { $0.summary.ssim != nil }
        var columns = [HTMLTable.Column("batch"), HTMLTable.Column("evaluations")]
        if isTimed {
            columns += [HTMLTable.Column("s/image", best: .least), HTMLTable.Column("speed-up", best: .greatest)]
        }
        columns += ["mean", "worst", "lower", "median", "upper"].map {
            HTMLTable.Column($0, group: "PSNR (dB)", best: .greatest)
        }
        if similar {
            columns += ["mean", "worst", "lower", "median", "upper"].map {
                HTMLTable.Column($0, group: "SSIM", best: .greatest)
            }
        }
        columns += [HTMLTable.Column("fine detail")]
        let own = HTMLTable.Row(
            [.text(reference.name), .number(reference.evaluations, digits: 1)]
                + (isTimed
                    ? [.number(reference.seconds?.median ?? .nan, digits: 3), .number(1, digits: 2, suffix: "×")] : []),
            isReference: true)
        return HTMLTable(
            columns: columns,
            sections: [
                HTMLTable.Section(rows: [own]),
                HTMLTable.Section(rows: rows.map { HTMLTable.Row($0.cells(timed: isTimed, similar: similar)) }),
            ])
    }

    /// What the columns of ``table`` mean.
    public var legend: String {
        let infinite = rows.contains { $0.summary.psnr.identical > 0 && $0.summary.psnr.mean != nil }
        return "\(extent) of class and seed, each against the image of "
            + "\(reference.name), by their files of 8 bits; lower, median and upper are quartiles"
            + (infinite ? "; +n∞: n pairs are the same picture, with an infinite PSNR that is in no mean" : "")
            + ". fine detail: high-frequency energy over that of the other image"
            + (isTimed
                ? ". s/image and speed-up: medians, by the manifests; batches are made at different times, so no speed-up "
                    + "is more than the evaluations can give." : ".")
            + " " + MeanInterval.legend
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
    fileprivate func cells(timed: Bool, similar: Bool) -> [HTMLTable.Cell] {
        var cells: [HTMLTable.Cell] = [
            .text(batch.name), .mean(summary.evaluations, summary.evaluationsInterval, digits: 1),
        ]
        if timed {
            cells += [
                .number(summary.seconds?.median ?? .nan, digits: 3),
                .number(summary.speedUp?.median ?? .nan, digits: 2, suffix: "×"),
            ]
        }
        let same = summary.psnr.mean == nil ? 0 : summary.psnr.identical
        cells.append(
            .mean(
                summary.psnr.mean ?? .infinity, summary.psnr.interval, digits: 2,
                suffix: same == 0 ? "" : " +\(same)∞"))
        cells += [
            summary.psnr.worst, summary.psnrQuartiles?.lower, summary.psnrQuartiles?.median,
            summary.psnrQuartiles?.upper,
        ].map { .number($0 ?? .infinity, digits: 2) }
        if similar {
            cells.append(.mean(summary.ssim?.mean ?? .nan, summary.ssim?.interval, digits: 4))
            cells += [
                summary.ssim?.worst, summary.ssimQuartiles?.lower, summary.ssimQuartiles?.median,
                summary.ssimQuartiles?.upper,
            ].map { .number($0 ?? .nan, digits: 4) }
        }
        return cells + [
            .mean(summary.highFrequencyEnergy ?? .nan, summary.highFrequencyEnergyInterval, digits: 3)
        ]
    }
}
