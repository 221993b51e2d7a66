import Evaluation
import FoundationEssentials
import Pipeline

extension BenchCommand {
    /// Answers the requests on standard input until it ends.
    func answerRequests() throws {
        guard !(forwards || profile || scaling) else {
            throw PipelineError.usage("--on-request: stands alone; leave out --forwards, --profile and --scaling")
        }
        let subject = try subject()
        let service = try ForwardService(subject: subject, workers: workers(for: subject))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var number = 0
        while let line = readLine() {
            number += 1
            let answer = try encoder.encode(service.answer(line: line, number: number))
            try Terminal.standardOutput.writeResult(String(decoding: answer, as: UTF8.self) + "\n")
        }
    }
}
