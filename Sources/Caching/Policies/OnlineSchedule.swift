/// Turns an online rule's wishes into decisions that keep a budget, call by call.
///
/// The rule rules, but for four things: the first calls are full; what is spent is spent, and from then on everything is
/// reused; one full call is kept for the last one where the rule asks for that; and when what is left is enough for all
/// calls that are left, they are full.
public struct OnlineSchedule: Sendable {
    private let calls: Int
    private let warmUp: Int
    private let keepsLast: Bool
    private var left: Int?

    /// - Parameters:
    ///   - calls: The model calls of the run.
    ///   - full: The most calls that may be full; nil to see what the rule alone would do.
    ///   - warmUp: How many calls are full before the rule is asked, at least 1.
    ///   - keepsLast: Whether the last call is full.
    public init(calls: Int, full: Int?, warmUp: Int, keepsLast: Bool) {
        self.calls = calls
        self.warmUp = max(1, warmUp)
        self.keepsLast = keepsLast
        left = full
    }

    /// Whether `call` is full; to be asked once for each call, in order.
    public mutating func decides(at call: Int, wanted: Bool) -> Bool {
        let isLast = call == calls - 1
        let wanted = wanted || call < warmUp || (keepsLast && isLast)
        guard let left else { return wanted }
        guard left < calls - call else {
            self.left = left - 1
            return true
        }
        let reserve = keepsLast && !isLast ? 1 : 0
        guard wanted, left > reserve else { return false }
        self.left = left - 1
        return true
    }

    /// A published warm-up, cut to half of the calls that may be full where the budget is smaller than its authors' were.
    public static func warmUp(_ published: Int, full: Int) -> Int {
        max(1, min(published, full / 2))
    }
}
