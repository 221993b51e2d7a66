import Models

/// Draws how far a run has come, on one line of a terminal.
struct ProgressBar {
    private static let cells = 30
    private static let clearLine = "\r\u{1B}[K"

    private let terminal: Terminal
    private let started = ContinuousClock.now
    private var drawn: ContinuousClock.Instant?

    /// A bar on the standard error stream.
    init(terminal: Terminal = .standardError) {
        self.terminal = terminal
    }

    /// Draws the bar, at most twenty times a second.
    ///
    /// - Parameters:
    ///   - share: what is done, from 0 to 1.
    ///   - label: what is being done.
    mutating func show(_ share: Double, label: String) {
        let now = ContinuousClock.now
        if let drawn, now - drawn < .milliseconds(50), share < 1 { return }
        drawn = now
        let full = Int((share * Double(Self.cells)).rounded(.down))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: Self.cells - full)
        var text = "\(Self.clearLine)\(bar) \(Int(share * 100)) %  \(label.onOneLine)"
        let elapsed = Self.seconds(now - started)
        if share > 0, share < 1, elapsed > 1 { text += "  \(Self.clock(elapsed * (1 - share) / share)) left" }
        terminal.write(text)
    }

    /// Removes the bar.
    mutating func clear() {
        guard drawn != nil else { return }
        terminal.write(Self.clearLine)
        drawn = nil
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    /// Minutes and seconds, and hours if there are any.
    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        func two(_ number: Int) -> String { "\(number < 10 ? "0" : "")\(number)" }
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}
