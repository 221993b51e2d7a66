import Evaluation
import Models

extension CompareCommand {
    /// The first option that was given and says how to sample; nil if none was.
    private var samplingOption: String? {
        let options = [
            ("--class", subjects.classes != nil), ("--count", subjects.count != nil), ("--seed", subjects.seed != nil),
            ("--strategies", strategies != nil), ("--budgets", budgets != nil), ("--decoder", decoder.decoder != nil),
            ("--model", model.model != nil),
        ]
        return options.first { $0.1 }?.0 ?? sampling.given
    }

    /// Compares finished batches by their files.
    func compareBatches(log: Log) throws {
        let batches = try finished.read(given: samplingOption)
        let comparison = try BatchComparison(batches, measuresTime: timing)
        let files = try output.map { try BatchComparison.files(prefix: $0, replaces: force) }
        if execution.dryRun {
            return try BatchDryRun(batches, files: files?.paths ?? []).print(format: execution.log)
        }
        try files?.check()
        let total = comparison.imageCount
        let result = try comparison.run(workers: execution.workers()) { done in
            if Interruption.isPending { throw Interrupted(done: done, total: total, again: "start over") }
            log.share(Double(done) / Double(total), label: "image \(done) of \(total)")
        }
        log.finish()
        if !result.report.isWhole {
            log.message(
                "\(result.report.extent) are compared, since the manifests list no more; run what is unfinished again, "
                    + "and give all manifests, to compare the rest")
        }
        switch execution.log {
        case .text:
            try Terminal.standardOutput.writeResult(result.report.table.plainText.onItsLines)
            log.message(result.report.legend)
        case .json:
            for line in result.report.lines { try Terminal.standardOutput.writeAll(line) }
        }
        for path in try files?.write((result, ShellCommand.present)) ?? [] {
            try log.result(Log.Event(event: "file", file: path))
        }
    }
}
