import Evaluation

extension AnalyzeCommand {
    /// The first option that was given and says how to sample; nil if none was.
    private var samplingOption: String? {
        let options = [
            ("--class", subjects.classes != nil), ("--count", subjects.count != nil), ("--seed", subjects.seed != nil),
            ("--plan", plan != nil), ("--model", model.model != nil),
        ]
        return options.first { $0.1 }?.0 ?? cache.given ?? sampling.given
    }

    /// Tells what finished batches have cost and hold.
    func analyzeBatches(log: Log) throws {
        let batches = try finished.read(given: samplingOption)
        let files = try BatchAnalysis.files(prefix: output, replaces: force)
        if execution.dryRun {
            return try BatchDryRun(batches, files: files.paths).print(format: execution.log)
        }
        try files.check()
        let total = batches.reduce(0) { $0 + $1.lines.count }
        let analysis = try BatchAnalysis(batches, workers: execution.workers()) { done in
            if Interruption.isPending { throw Interrupted(done: done, total: total, again: "start over") }
            log.share(Double(done) / Double(total), label: "image \(done) of \(total)")
        }
        log.finish()
        if execution.log == .text { log.message(analysis.table.plainText + analysis.legend) }
        for path in try files.write(analysis) { try log.result(Log.Event(event: "file", file: path)) }
    }
}
