import ArgumentParser
import CAllocation
import Compute
import Glibc
import Models
import Pipeline

/// The root of the command line: parses, runs, and turns every failure into one line and an exit code.
@main
struct Omnicache: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "omnicache",
        abstract: "Samples images from diffusion transformers on a CPU.",
        discussion: """
            Without options, samples one image from the embedded model, with a random seed and class.

            Standard output gets results only, such as the path of each image, one per line. Progress and messages go to \
            standard error.

            Exit codes: 0 success, 64 wrong usage, 65 bad data, 66 missing input, 70 internal error, 71 too little \
            memory, or a library that is missing or computes wrongly, 73 cannot create output, 74 input/output error, \
            75 interrupted. After 75, run the same command again to continue.
            """,
        version: "omnicache \(LibraryVersions.omnicache)",
        subcommands: [
            SampleCommand.self, CalibrateCommand.self, PlanCommand.self, AnalyzeCommand.self, CompareCommand.self,
            InfoCommand.self, BenchCommand.self,
        ],
        defaultSubcommand: SampleCommand.self)

    static func main() {
        Terminal.prepare()
        prepareForBreakdown()
        do {
            try Arguments.check()
            var command = try parseAsRoot()
            try Arguments.checkDirectory()
            try command.run()
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Prepares one-line messages for the two failures that no caller can catch: a failed allocation, and a mapped weight
    /// file that was truncated.
    private static func prepareForBreakdown() {
        let limits = AddressSpace.limits
        let line =
            "omnicache: not enough memory\(limits.isEmpty ? "" : " under \(limits)"): "
            + "\(limits.isEmpty ? "free some" : "raise the limit"), or use a smaller model, fewer images in flight or "
            + "fewer threads\n"
        allocation_end_with(ExitStatus.machine.rawValue, line)
        if AddressSpace.isLimited { allocation_spare_addresses() }
        WeightFiles.endOnLoss(
            status: ExitStatus.inputOutput.rawValue,
            prefix: Terminal.standardError.isInteractive ? "\r\u{1B}[Komnicache: " : "omnicache: ")
    }

    /// Prints a failure's message and returns its exit code.
    private static func report(_ error: any Error) -> Int32 {
        if let error = error as? Terminal.StreamFailure, error.isReaderGone { Terminal.endAsReaderIsGone() }
        if let status = ExitStatus(error) { return fail("\(error)", status) }
        switch exitCode(for: error) {
        case .success:
            // Help and version texts are thrown, too.
            do {
                try Terminal.standardOutput.writeResult(fullMessage(for: error) + "\n")
                return EXIT_SUCCESS
            } catch {
                return report(error)
            }
        case .validationFailure:
            var reason = message(for: error).split(separator: "\n").joined(separator: " ")
            if reason.hasSuffix(".") { reason.removeLast() }
            let subcommands = configuration.subcommands.compactMap { $0.configuration.commandName }
            let advice = Arguments.advice(among: subcommands)
            if let advice { reason = advice }
            let command = advice == nil ? " \(Arguments.subcommand(among: subcommands) ?? "sample")" : ""
            return fail("\(reason)\(reason.hasSuffix("?") ? "" : ";") see 'omnicache\(command) --help'", .usage)
        default:
            return fail("internal error: \(error); please report it", .internal)
        }
    }

    private static func fail(_ reason: String, _ status: ExitStatus) -> Int32 {
        Terminal.standardError.write("omnicache: \(reason.onOneLine)\n")
        return status.rawValue
    }
}
