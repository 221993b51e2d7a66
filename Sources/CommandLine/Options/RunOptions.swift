import ArgumentParser
import Compute
import Pipeline

/// How the work is done and reported.
struct RunOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "How many threads to use; this does not change the images. Default: one for each processor.", valueName: "n"
        ))
    var threads: Int?

    @Option(help: "The format of progress and results.")
    var log: LogFormat = .text

    @Flag(name: .shortAndLong, help: "Print only results and errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Print every step.")
    var verbose = false

    @Flag(help: "Print what would be done and what it would cost, and do nothing.")
    var dryRun = false

    /// Starts to listen for signals, and opens the log.
    ///
    /// - Parameter keepsOutputFree: whether standard output carries an image, so that results are not printed.
    /// - Returns: the log; call its `finish()` at the end.
    func begin(keepsOutputFree: Bool = false) -> Log {
        Interruption.install()
        return Log(format: log, isQuiet: quiet, isVerbose: verbose, keepsOutputFree: keepsOutputFree)
    }

    /// The threads to work with.
    func workers() throws -> Workers { try Self.workers(threads: threads) }

    /// The given number of threads, or one for each processor.
    static func workers(threads: Int?) throws -> Workers {
        guard let threads else { return Workers() }
        guard (1...1024).contains(threads) else {
            throw PipelineError.usage("--threads \(threads): give a number from 1 to 1024")
        }
        return Workers(count: threads)
    }
}
