import ArgumentParser
import Caching
import FoundationEssentials
import Models
import Pipeline

/// The format of the log.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
}

/// Reports what is going on: messages and steps on standard error, results on standard output.
final class Log {
    /// One event. Fields that are nil are left out of its JSON.
    struct Event: Encodable {
        var event: String
        var message: String?
        var request: Int?
        var image: Int?
        var images: Int?
        var step: Int?
        var steps: Int?
        var timestep: Double?
        var file: String?
        /// All files, where there are several: those of a clip's frames.
        var files: [String]?
        var `class`: String?
        var prompt: String?
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
    ///   - isQuiet: prints only results and errors.
    ///   - isVerbose: prints every step.
    ///   - keepsOutputFree: whether standard output carries an image, so that results are not printed.
    init(format: LogFormat, isQuiet: Bool, isVerbose: Bool, keepsOutputFree: Bool) {
        self.format = format
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
        self.keepsOutputFree = keepsOutputFree
        let shows = format == .text && !isQuiet && !isVerbose && Terminal.standardError.isInteractive
        bar = shows ? ProgressBar() : nil
    }

    /// Prints a message.
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

    /// Warns if the model's own scheduler would make other images with these settings.
    ///
    /// - Returns: whether there was a warning.
    @discardableResult
    func warn(of settings: SampleSettings, on directory: ModelDirectory) -> Bool {
        guard let departure = directory.departure(of: settings) else { return false }
        message("warning: \(departure)")
        return true
    }

    /// Says what of the prompts a model does not read; checks that it reads something of each.
    ///
    /// - Throws: what reading the tokenizer throws, and `PipelineError.usage` for a prompt of unknown words.
    func warn(ofPrompts items: [SampleItem], on directory: ModelDirectory) throws {
        var seen: Set<String> = []
        var prompts: [String] = []
        for item in items {
            guard case .prompt(let prompt) = item.condition else { continue }
            for text in [prompt, item.negative].compactMap(\.self) where seen.insert(text).inserted {
                prompts.append(text)
            }
        }
        for reading in try directory.read(prompts) {
            if let warning = reading.warning { message("warning: \(warning)") }
        }
    }

    /// Prints a message if the log is verbose.
    func detail(_ text: String) {
        if isVerbose { message(text) }
    }

    /// Reports a step of an image; `share` is how much of the whole request is done.
    func step(_ event: Event, share: Double) {
        if format == .json, !isQuiet {
            Terminal.standardError.write(Self.line(event))
        } else if isVerbose, let step = event.step, let steps = event.steps, let timestep = event.timestep {
            Terminal.standardError.write("step \(step + 1) of \(steps), timestep \(timestep)\n")
        }
        bar?.show(share, label: "image \((event.image ?? 0) + 1) of \(event.images ?? 1)")
    }

    /// Reports a comparison's run: its steps on the bar, and the run once it is done. Without an image, the event
    /// is the preparation of a strategy.
    func run(_ event: Event, share: Double, isDone: Bool) {
        if isDone || event.image == nil {
            if format == .json, !isQuiet {
                Terminal.standardError.write(Self.line(event))
            } else if isVerbose {
                Terminal.standardError.write(Self.label(of: event) + "\n")
            }
        }
        if event.image != nil, !hasRun, bar != nil {
            // The time left is estimated from the runs alone, without the preparations.
            bar?.clear()
            bar = ProgressBar()
            hasRun = true
        }
        bar?.show(share, label: Self.label(of: event))
    }

    private static func label(of event: Event) -> String {
        let strategy = event.strategy.map { "\($0) at \(event.budget ?? 1)" } ?? "uncached"
        guard let image = event.image else { return "preparing \(strategy)" }
        return "image \(image + 1) of \(event.images ?? 1), \(strategy)"
    }

    /// Shows how much of something is done.
    func share(_ share: Double, label: String) {
        bar?.show(share, label: label)
    }

    /// Reports a result on standard output. A reader that has closed the pipe does not stop the work.
    ///
    /// - Throws: `Terminal.StreamFailure` when standard output cannot be written for another reason.
    func result(_ event: Event) throws(Terminal.StreamFailure) {
        guard !keepsOutputFree else { return }
        bar?.clear()
        do throws(Terminal.StreamFailure) {
            switch format {
            case .text:
                let paths = event.files ?? event.file.map { [$0] } ?? []
                try Terminal.standardOutput.writeResult(paths.map { $0 + "\n" }.joined())
            case .json: try Terminal.standardOutput.writeResult(Self.line(event))
            }
        } catch {
            guard error.isReaderGone else { throw error }
        }
    }

    /// Answers a request on standard output, as a line of JSON.
    ///
    /// - Throws: `Terminal.StreamFailure` when standard output cannot be written.
    func answer(_ event: Event) throws(Terminal.StreamFailure) {
        bar?.clear()
        try Terminal.standardOutput.writeResult(Self.line(event))
    }

    /// Removes the progress bar.
    func finish() {
        bar?.clear()
    }

    /// The event as one line of JSON. Texts and finite numbers can always be encoded.
    private static func line(_ event: Event) -> String {
        (try? Terminal.json(event)).map { $0 + "\n" } ?? ""
    }
}

/// A progress bar, on one line of standard error.
private struct ProgressBar {
    private static let cells = 30

    private let started = ContinuousClock.now
    private var drawn: ContinuousClock.Instant?

    /// Draws the bar, at most twenty times a second.
    ///
    /// - Parameters:
    ///   - share: how much is done, from 0 to 1.
    ///   - label: what is being done.
    mutating func show(_ share: Double, label: String) {
        let now = ContinuousClock.now
        if let drawn, now - drawn < .milliseconds(50), share < 1 { return }
        drawn = now
        let full = Int((share * Double(Self.cells)).rounded(.down))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: Self.cells - full)
        var text = "\(Terminal.clearLine)\(bar) \(Int(share * 100)) %  \(label.onOneLine)"
        let elapsed = (now - started) / .seconds(1)
        if share > 0, share < 1, elapsed > 1 { text += "  \(Self.clock(elapsed * (1 - share) / share)) left" }
        Terminal.standardError.write(text)
    }

    /// Removes the bar.
    mutating func clear() {
        guard drawn != nil else { return }
        Terminal.standardError.write(Terminal.clearLine)
        drawn = nil
    }

    /// `m:ss`, or `h:mm:ss`.
    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        func two(_ number: Int) -> String { "\(number < 10 ? "0" : "")\(number)" }
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}
