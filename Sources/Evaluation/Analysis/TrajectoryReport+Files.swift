import Pipeline

extension TrajectoryReport {
    /// What the files of an analysis are made of.
    public typealias Content = (report: TrajectoryReport, drawings: TrajectoryDrawings)

    /// `PREFIX.json`, tables and pictures.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "analysis",
            kinds: [
                (".json", { try $0.report.json }),
                ("-steps.csv", { Array($0.report.stepsCSV.utf8) }),
                ("-blocks.csv", { Array($0.report.blocksCSV.utf8) }),
                ("-turning.svg", { $0.drawings.turning.bytes }),
                ("-curvature.svg", { $0.drawings.curvature.bytes }),
                ("-path.svg", { $0.drawings.path.bytes }),
                ("-blocks.svg", { $0.drawings.blocks.bytes }),
                ("-noise.svg", { $0.drawings.noise.bytes }),
            ], replaces: replaces)
    }
}
