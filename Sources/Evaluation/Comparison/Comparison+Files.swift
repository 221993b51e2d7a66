import Pipeline

extension Comparison {
    /// What the files of a comparison are made of: its result, the model's classes, and the command that reproduces it.
    public typealias Content = (result: Result, classNames: ClassNames, command: String)

    /// `PREFIX.json`, with every figure of every pair, and `PREFIX.html`, for a person.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "comparison",
            kinds: [
                (".json", { try $0.result.report.json }),
                (
                    ".html",
                    { content in
                        let (result, classNames, command) = content
                        return try result.report.page(gallery: result.gallery, classNames: classNames, command: command)
                            .bytes()
                    }
                ),
            ], replaces: replaces)
    }
}

extension BatchComparison {
    /// What the files of a comparison are made of: its result, and the command that reproduces it.
    public typealias Content = (result: Result, command: String)

    /// `PREFIX.json`, with every figure of every pair, and `PREFIX.html`, for a person.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "comparison",
            kinds: [
                (".json", { $0.result.report.json }),
                (".html", { try $0.result.report.page(gallery: $0.result.gallery, command: $0.command).bytes() }),
            ], replaces: replaces)
    }
}
