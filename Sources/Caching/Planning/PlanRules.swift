/// What every plan of a request must keep, whatever its planner prefers: calls that have to be full, and how many may be
/// reused in a row.
struct PlanRules {
    /// For each call, whether it has to be full: the first, and those outside the window.
    private(set) var isForced: [Bool]

    /// The most calls in a row that may be reused.
    let longestReuse: Int

    /// The rules of `request`, with the planner's own cap beside the request's.
    init(_ request: PlanRequest, longestReuse own: Int? = nil) {
        let count = request.calls.count
        isForced = (0..<count).map { !request.limits.allowsReuse(at: $0, of: count) }
        longestReuse = min(request.limits.longestReuse ?? count, own ?? count)
    }

    /// The rules with one more call that has to be full.
    func forcing(_ call: Int) -> PlanRules {
        var rules = self
        rules.isForced[call] = true
        return rules
    }

    /// The calls that may be reused, in stretches between those that have to be full.
    var stretches: [Range<Int>] {
        var stretches: [Range<Int>] = []
        var start: Int?
        for call in isForced.indices {
            if !isForced[call] {
                start = start ?? call
            } else if let first = start {
                stretches.append(first..<call)
                start = nil
            }
        }
        if let start { stretches.append(start..<isForced.count) }
        return stretches
    }

    /// The fewest full calls that a stretch of `length` needs: with f of them, f + 1 runs of reuse share the rest.
    func fewestFullCalls(in length: Int) -> Int { length / (longestReuse + 1) }

    /// The fewest full calls of any plan.
    var fewestFullCalls: Int {
        isForced.count { $0 } + stretches.reduce(0) { $0 + fewestFullCalls(in: $1.count) }
    }

    /// The full calls that a plan of `request` has: all that its evaluations pay for.
    ///
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)`` when the rules need more.
    func fullCalls(for request: PlanRequest, planner: String) throws(PlanError) -> Int {
        let fewest = fewestFullCalls
        guard request.fullCalls >= fewest else {
            let branches = request.branches.count
            throw .budgetTooSmall(
                planner: planner, smallest: fewest * branches, total: request.calls.count * branches)
        }
        return request.fullCalls
    }

    /// The plan of exactly `count` full calls whose values have the largest sum, found by dynamic programming over the
    /// (number, position) of the last full call.
    ///
    /// - Parameters:
    ///   - count: The number of full calls, from 1 to the number of calls.
    ///   - values: What each call is worth when it is full.
    ///   - ranges: Where the k-th full call must lie; nil for anywhere.
    /// - Returns: For each call, whether it is full; nil when no such plan keeps the rules.
    func choose(_ count: Int, values: [Double], ranges: [Range<Int>]? = nil) -> [Bool]? {
        let calls = isForced.count
        let earliest = earliestPredecessors
        var sums = [Double](repeating: -.infinity, count: calls)
        sums[0] = values[0]
        var parents: [[Int32]] = []
        for ordinal in 1..<max(count, 1) {
            var next = [Double](repeating: -.infinity, count: calls)
            var parent = [Int32](repeating: -1, count: calls)
            var window: [Int] = []  // candidates, best first
            var head = 0
            for call in 1..<calls {
                while window.count > head, sums[window[window.count - 1]] < sums[call - 1] { window.removeLast() }
                if sums[call - 1] > -.infinity { window.append(call - 1) }
                while head < window.count, window[head] < earliest[call] { head += 1 }
                guard head < window.count, ranges?[ordinal].contains(call) ?? true else { continue }
                next[call] = sums[window[head]] + values[call]
                parent[call] = Int32(window[head])
            }
            parents.append(parent)
            sums = next
        }
        var best: Int?
        for call in earliest[calls]..<calls where sums[call] > (best.map { sums[$0] } ?? -.infinity) { best = call }
        guard var call = best else { return nil }
        var isFull = [Bool](repeating: false, count: calls)
        isFull[call] = true
        for parent in parents.reversed() {
            call = Int(parent[call])
            isFull[call] = true
        }
        return isFull
    }

    /// For each call, and for the end of the run, the earliest call that the full call before it may be.
    private var earliestPredecessors: [Int] {
        var lastForced = 0
        return (0...isForced.count).map { call in
            defer { if call < isForced.count, isForced[call] { lastForced = call } }
            return max(call - longestReuse - 1, lastForced)
        }
    }
}
