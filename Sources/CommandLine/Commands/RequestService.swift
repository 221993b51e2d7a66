import Evaluation
import Pipeline

/// Answers requests for images on standard input, a line of JSON each, while the model stays loaded.
///
/// Every line is answered with one on standard output: `{"event": "image", "request": 0, "file": …}` once the file is
/// there, or `{"event": "error", "request": 0, "message": …}`. A request that fails does not end the service.
struct RequestService {
    private let command: SampleCommand
    private let session: ModelSession
    private let reuse: ReuseSource
    private let log: Log

    /// More bytes than a request has.
    private static let mostBytes = 1 << 20

    /// - Throws: `PipelineError.usage` for options that have no meaning here.
    init(command: SampleCommand, session: ModelSession, reuse: ReuseSource, log: Log) throws(PipelineError) {
        let conflicts: [(String, Bool)] = [
            ("--shard", command.batch.shard != nil), ("--manifest", command.batch.manifest),
            ("--grid", command.output.grid != nil), ("--like", command.like != nil),
            ("--output -", command.output.usesStandardOutput), ("--dry-run", command.execution.dryRun),
            ("--save-latents", command.output.saveLatents != nil),
        ]
        if let conflict = conflicts.first(where: \.1) {
            throw .usage("--batch - answers requests one by one; drop \(conflict.0)")
        }
        self.command = command
        self.session = session
        self.reuse = reuse
        self.log = log
    }

    /// Answers until standard input ends.
    ///
    /// - Throws: ``FailedRequests`` at the end if a request failed; `Interrupted` after a signal.
    func run() throws {
        var number = 0
        var failed = 0
        while let line = readLine() {
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            do {
                try answer(line, number: number)
            } catch let error as Interrupted {
                throw error
            } catch let error as Terminal.StreamFailure {
                throw error
            } catch {
                failed += 1
                try log.answer(Log.Event(event: "error", message: "\(error)", request: number))
            }
            number += 1
            if Interruption.isPending { throw Interrupted(done: number - failed, total: number) }
        }
        guard failed == 0 else { throw FailedRequests(count: failed, total: number) }
    }

    private func answer(_ line: String, number: Int) throws {
        let name = "request \(number)"
        guard line.utf8.count <= Self.mostBytes else {
            throw PipelineError.badData("\(name): more than \(Self.mostBytes >> 20) MB")
        }
        guard line.first(where: { !$0.isWhitespace }) == "{" else {
            throw PipelineError.badData("\(name): not a JSON object; write one on each line, such as {\"seed\": 1}")
        }
        let file = try BatchFile(bytes: Array(line.utf8), path: name, names: BatchList.names)
        guard file.entries.count == 1 else {
            throw PipelineError.badData("\(name): \(file.entries.count) objects; write one on each line")
        }
        let list = try BatchList(
            file: file, subject: command.subject, firstSeed: try firstSeed(of: number), directory: session.directory)
        let request = try SampleRequest(
            command: command, session: session, reuse: reuse, like: nil, list: list, firstIndex: number)
        try log.warn(ofPrompts: request.batch.items, on: session.directory)
        try SampleJob(request: request, session: session, inFlight: 1, request: number, log: log).carryOut()
    }

    /// The seed of a request that gives none: the command's plus the number, or a drawn one.
    private func firstSeed(of number: Int) throws(PipelineError) -> UInt32 {
        guard let first = command.subject.seed else { return UInt32.random(in: 0...UInt32.max >> 1) }
        let (seed, overflows) = first.addingReportingOverflow(UInt32(clamping: number))
        guard !overflows else {
            throw .usage("--seed \(first): the seed of request \(number) would reach 2^32; lower it")
        }
        return seed
    }
}

/// Some requests could not be carried out; each has been answered with its reason.
struct FailedRequests: Error, CustomStringConvertible {
    let count, total: Int

    var description: String { "\(count) of \(total) requests failed; their answers say why" }
}
