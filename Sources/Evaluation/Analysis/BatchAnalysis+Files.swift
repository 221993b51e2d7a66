import FoundationEssentials
import Pipeline
import Reports

extension BatchAnalysis {
    /// `PREFIX.json`, with all of it, and `PREFIX-images.csv` and `PREFIX-classes.csv`, with a row for each.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<BatchAnalysis> {
        try ReportFiles(
            prefix: prefix, example: "analysis",
            kinds: [
                (".json", { CanonicalJSON.file($0) }),
                ("-images.csv", { Array($0.imagesCSV.utf8) }),
                ("-classes.csv", { Array($0.classesCSV.utf8) }),
            ], replaces: replaces)
    }

    /// Reads a report.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when the file holds something else.
    public init(json: [UInt8], path: String) throws(PipelineError) {
        guard let report = try? JSONDecoder().decode(BatchAnalysis.self, from: Data(json)),
            report.schema == Self.currentSchema
        else {
            throw .badData("\(path): no analysis of batches, or of another version of omnicache; make it anew")
        }
        self = report
    }

    /// One row per image.
    public var imagesCSV: String {
        CSV.table(
            [
                "batch", "index", "file", "class_id", "class", "seed", "evaluations", "seconds", "fine_detail",
                "contrast",
            ],
            batches.flatMap { batch in
                batch.images.map { image in
                    let line = image.line
                    return [
                        batch.name, "\(line.index)", line.file, line.classID.map { "\($0)" } ?? "", line.class,
                        "\(line.seed)",
                        "\(line.evaluations)", line.seconds.map { "\($0)" } ?? "", "\(image.highFrequencyEnergy)",
                        "\(image.contrast)",
                    ]
                }
            })
    }

    /// One row per class of each batch; seconds, fine detail and contrast are medians.
    public var classesCSV: String {
        CSV.table(
            ["batch", "class_id", "class", "images", "evaluations", "seconds", "fine_detail", "contrast"],
            batches.flatMap { batch in
                batch.classes.map { one in
                    [
                        batch.name, one.classID.map { "\($0)" } ?? "", one.name, "\(one.summary.images)",
                        "\(one.summary.evaluations)",
                        one.summary.seconds.map { "\($0.median)" } ?? "",
                        "\(one.summary.highFrequencyEnergy.median)", "\(one.summary.contrast.median)",
                    ]
                }
            })
    }

    /// The table that a person reads: a row per batch.
    public var table: HTMLTable {
        HTMLTable(
            columns: [
                HTMLTable.Column("batch"), HTMLTable.Column("images"), HTMLTable.Column("missing"),
                HTMLTable.Column("classes"), HTMLTable.Column("evaluations"), HTMLTable.Column("s/image"),
                HTMLTable.Column("fine detail"), HTMLTable.Column("contrast"),
            ],
            sections: [
                HTMLTable.Section(
                    rows: batches.map { batch in
                        HTMLTable.Row([
                            .text(batch.name), .number(Double(batch.summary.images), digits: 0),
                            .number(Double(batch.missing.count), digits: 0),
                            .number(Double(batch.classes.count), digits: 0),
                            .number(Double(batch.summary.evaluations), digits: 0),
                            .number(batch.summary.seconds?.median ?? .nan, digits: 3),
                            .number(batch.summary.highFrequencyEnergy.median, digits: 1),
                            .number(batch.summary.contrast.median, digits: 1),
                        ])
                    })
            ])
    }

    /// What the columns of ``table`` mean.
    public var legend: String {
        "missing: images of the list that no manifest read has. s/image, fine detail (high-frequency energy) and contrast "
            + "(standard deviation of the levels): medians over the images."
    }
}
