import ArgumentParser
import Glibc
import Models
import Pipeline

/// The command line's root: parses, runs, and turns every failure into one line and an exit code.
@main
struct Omnicache: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "omnicache",
        abstract: "Samples images from Diffusion Transformers on a CPU.",
        discussion: """
            Without options, draws one image of a class and a seed chosen at random from the embedded model.
            Standard output carries results only: the path of each image, one a line. Progress and messages go to \
            standard error.

            Exit codes: 0 all done, 64 wrong usage, 65 bad data, 66 missing input, 70 internal error, 71 too little \
            memory or no OpenBLAS, 73 cannot create output, 74 input/output error, 75 interrupted: run the same command \
            again to go on.
            """,
        version: "omnicache \(LibraryVersions.omnicache)",
        subcommands: [
            SampleCommand.self, CalibrateCommand.self, PlanCommand.self, AnalyzeCommand.self, CompareCommand.self,
            InfoCommand.self, BenchCommand.self,
        ],
        defaultSubcommand: SampleCommand.self)

    static func main() {
        Terminal.prepare()
        Breakdown.prepare()
        do {
            try Arguments.check()
            var command = try parseAsRoot()
            try Arguments.checkDirectory()
            try command.run()
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Prints what a failure has to say and returns its exit code.
    private static func report(_ error: any Error) -> Int32 {
        if let error = error as? Terminal.StreamFailure, error.isReaderGone { Terminal.endAsReaderIsGone() }
        if let status = ExitStatus(error) { return fail("\(error)", status) }
        switch exitCode(for: error) {
        case .success:
            // Help and version texts arrive as errors, too.
            do {
                try Terminal.standardOutput.writeResult(fullMessage(for: error) + "\n")
                return EXIT_SUCCESS
            } catch {
                return report(error)
            }
        case .validationFailure:
            var reason = message(for: error).split(separator: "\n").joined(separator: " ")
            if reason.hasSuffix(".") { reason.removeLast() }
            if let advice = Subcommands.advice(for: CommandLine.arguments.dropFirst().first) { reason = advice }
            return fail("\(reason)\(reason.hasSuffix("?") ? "" : ";") see 'omnicache --help'", .usage)
        default:
            return fail("internal error: \(error); please report it", .internal)
        }
    }

    private static func fail(_ reason: String, _ status: ExitStatus) -> Int32 {
        Terminal.standardError.write("omnicache: \(reason.onOneLine)\n")
        return status.rawValue
    }
}
