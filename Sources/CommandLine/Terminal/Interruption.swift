import Glibc
import Synchronization

/// A run that a signal has stopped before its end.
struct Interrupted: Error, CustomStringConvertible {
    let done: Int
    let total: Int
    /// What the same command does when it is run again.
    var again = "go on"

    /// Before anything that is kept was made.
    static let early = Interrupted(done: 0, total: 0, again: "start over")

    var description: String {
        "interrupted: \(total == 0 ? "nothing is done" : "\(done) of \(total) images are done"); run the same command again "
            + "to \(again)"
    }
}

/// Turns SIGINT and SIGTERM into a flag that is checked between steps. A second signal ends the process at once.
enum Interruption {
    private static let pending = Atomic<Bool>(false)

    /// Starts to listen for signals.
    static func install() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                Interruption.pending.store(true, ordering: .relaxed)
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
            }
        }
    }

    /// Whether a signal has come.
    static var isPending: Bool { pending.load(ordering: .relaxed) }
}
