import ArgumentParser
import Caching
import FoundationEssentials
import Models

/// How the log is written.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
}

/// Tells a person, or a program, what is going on: messages and steps to standard error, results to standard output.
final class Log {
    /// One event; the fields that do not belong to it stay out of its JSON.
    struct Event: Encodable {
        var event: String
        var message: String?
        var image: Int?
        var images: Int?
        var step: Int?
        var steps: Int?
        var timestep: Double?
        var file: String?
        var `class`: String?
        var seed: UInt32?
        var skipped: Bool?
        var evaluations: Int?
        var evaluationsFull: Int?
        var seconds: Double?
        var decodeSeconds: Double?
        var plan: ReusePlan?
        var strategy: String?
        var budget: Double?
    }

    private let format: LogFormat
    private let isQuiet: Bool
    private let isVerbose: Bool
    private let keepsOutputFree: Bool
    private var bar: ProgressBar?
    private var hasRun = false

    /// - Parameters:
    ///   - format: text for people, JSON for programs.
    ///   - isQuiet: leaves out everything but results and errors.
    ///   - isVerbose: adds a line for every step.
    ///   - keepsOutputFree: whether standard output carries an image, so that results go nowhere.
    init(format: LogFormat, isQuiet: Bool, isVerbose: Bool, keepsOutputFree: Bool) {
        self.format = format
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
        self.keepsOutputFree = keepsOutputFree
        let shows = format == .text && !isQuiet && !isVerbose && Terminal.standardError.isInteractive
        bar = shows ? ProgressBar() : nil
    }

    /// Says something to the person.
    func message(_ text: String) {
        guard !isQuiet else { return }
        switch format {
        case .text:
            bar?.clear()
            Terminal.standardError.write(text.onItsLines + "\n")
        case .json:
            Terminal.standardError.write(Self.line(Event(event: "message", message: text)))
        }
    }

    /// Says something that only those want to know who asked for every detail.
    func detail(_ text: String) {
        if isVerbose { message(text) }
    }

    /// Tells of a step of an image; `share` is how much of the whole request is done.
    func step(_ event: Event, share: Double) {
        if format == .json, !isQuiet {
            Terminal.standardError.write(Self.line(event))
        } else if isVerbose, let step = event.step, let steps = event.steps, let timestep = event.timestep {
            Terminal.standardError.write("step \(step + 1) of \(steps), timestep \(timestep)\n")
        }
        bar?.show(share, label: "image \((event.image ?? 0) + 1) of \(event.images ?? 1)")
    }

    /// Tells of a comparison's run: its steps on the bar, the whole run once it is done; of making a strategy ready, if
    /// there is no image.
    func run(_ event: Event, share: Double, isDone: Bool) {
        if isDone || event.image == nil {
            if format == .json, !isQuiet {
                Terminal.standardError.write(Self.line(event))
            } else if isVerbose {
                Terminal.standardError.write(Self.label(of: event) + "\n")
            }
        }
        if event.image != nil, !hasRun, bar != nil {
            // What came before says nothing of the time that is left.
            bar?.clear()
            bar = ProgressBar()
            hasRun = true
        }
        bar?.show(share, label: Self.label(of: event))
    }

    private static func label(of event: Event) -> String {
        let strategy = event.strategy.map { "\($0) at \(event.budget ?? 1)" } ?? "uncached"
        guard let image = event.image else { return "making \(strategy) ready" }
        return "image \(image + 1) of \(event.images ?? 1), \(strategy)"
    }

    /// Shows how much of something is done.
    func share(_ share: Double, label: String) {
        bar?.show(share, label: label)
    }

    /// Tells of a finished file, on standard output; a reader that has gone away does not stop the files from being made.
    ///
    /// - Throws: `Terminal.StreamFailure` when standard output does not take it.
    func result(_ event: Event) throws(Terminal.StreamFailure) {
        guard !keepsOutputFree else { return }
        bar?.clear()
        do throws(Terminal.StreamFailure) {
            switch format {
            case .text: try Terminal.standardOutput.writeResult((event.file ?? "") + "\n")
            case .json: try Terminal.standardOutput.writeResult(Self.line(event))
            }
        } catch {
            guard error.isReaderGone else { throw error }
        }
    }

    /// Removes what must not stay on the screen.
    func finish() {
        bar?.clear()
    }

    /// The event as one line of JSON; texts and finite numbers always can be encoded.
    private static func line(_ event: Event) -> String {
        (try? Terminal.json(event)).map { $0 + "\n" } ?? ""
    }
}
