import ArgumentParser
import Compute
import Pipeline

/// How the work is done and told of.
struct RunOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "How many threads to use; the images do not depend on it. Default: all processors.", valueName: "n"))
    var threads: Int?

    @Option(help: "How progress and results are told.")
    var log: LogFormat = .text

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Tell of every step.")
    var verbose = false

    @Flag(help: "Say what would be done and what it would cost, and do nothing.")
    var dryRun = false

    /// Begins the work: listens to signals from now on, and opens the log.
    ///
    /// - Parameter keepsOutputFree: whether standard output carries an image, so that results go nowhere.
    /// - Returns: the log, to be finished at the end.
    func begin(keepsOutputFree: Bool = false) -> Log {
        Interruption.install()
        return Log(format: log, isQuiet: quiet, isVerbose: verbose, keepsOutputFree: keepsOutputFree)
    }

    /// The threads to work with.
    func workers() throws -> Workers { try Self.workers(threads: threads) }

    /// As many threads as asked for, or as there are processors.
    static func workers(threads: Int?) throws -> Workers {
        guard let threads else { return Workers() }
        guard (1...1024).contains(threads) else {
            throw PipelineError.usage("--threads \(threads): give a number from 1 to 1024")
        }
        return Workers(count: threads)
    }
}
