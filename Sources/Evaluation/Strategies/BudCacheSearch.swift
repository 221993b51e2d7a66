import Glibc

/// BudCache's search for the full calls of a run (arXiv 2606.13496; https://github.com/Westlake-AGI-Lab/BudCache): simulated
/// annealing, then steepest descent, on the error that sampling with a plan is measured to have.
///
/// As in its code, a quarter of the full calls are the run's first ones, and a move puts one full call (or two, in a tenth
/// of the moves) in another place, near it in seven of ten. Our reading: the search starts from even distances, and its
/// temperatures are shares of that plan's error, since the published ones belong to the latents of other models.
struct BudCacheSearch {
    /// The steps of the annealing.
    static let annealing = 200
    /// The temperatures at its start and end.
    static let temperatures = (first: 0.05, last: 1e-5)
    /// The most rounds of the descent.
    static let rounds = 20
    /// How far a near move goes.
    static let window = 3
    /// The far moves of each full call that a round of the descent tries.
    static let jumps = 2

    let calls: Int
    let full: Int
    /// The most plans that are measured; published without a limit, which comes to thousands.
    var mostPlans = 2 * Self.annealing

    private var prefix: Int { max(1, full / 4) }

    init(calls: Int, full: Int) {
        precondition((1...calls).contains(full), "\(full) full calls of \(calls)")
        (self.calls, self.full) = (calls, full)
    }

    /// The best plan that was found.
    ///
    /// - Parameter measure: The error of a plan, by its full calls. It may give up on a plan, and return what it has, as soon
    ///   as that is above `limit`.
    /// - Returns: The plan's full calls.
    func best(_ measure: (_ full: [Int], _ limit: Double) throws -> Double) rethrows -> [Int] {
        var random = Generator()
        var known: [[Int]: Double] = [:]
        var complete: Set<[Int]> = []
        var measured = 0
        /// nil when no more plans may be measured.
        func error(_ plan: [Int], limit: Double) throws -> Double? {
            // What is known of a plan that was given up is a bound, which is enough where it is above the limit.
            if let error = known[plan], error > limit || complete.contains(plan) { return error }
            guard measured < mostPlans else { return nil }
            measured += 1
            let error = try measure(plan, limit)
            known[plan] = error
            if !(error > limit) { complete.insert(plan) }
            return error
        }
        let mask = SpacedCalls.full(calls: calls, full: full, warmUp: prefix)
        var current = mask.indices.filter { mask[$0] }
        guard full > prefix, full < calls, let start = try error(current, limit: .infinity) else { return current }
        var (currentError, best, bestError) = (start, current, start)
        for step in 0..<Self.annealing {
            let (first, last) = (start * Self.temperatures.first, start * Self.temperatures.last)
            let temperature = first * pow(last / first, Double(step) / Double(Self.annealing))
            let candidate = move(current, &random)
            let limit = currentError - temperature * log(Double.random(in: .leastNormalMagnitude..<1, using: &random))
            guard let error = try error(candidate, limit: limit) else { return best }
            guard error <= limit else { continue }
            (current, currentError) = (candidate, error)
            if error < bestError { (best, bestError) = (candidate, error) }
        }
        (current, currentError) = (best, bestError)
        for _ in 0..<Self.rounds {
            let before = currentError
            for neighbour in neighbours(current, &random) {
                guard let error = try error(neighbour, limit: bestError) else { return best }
                if error < bestError { (best, bestError) = (neighbour, error) }
            }
            guard bestError < before else { return best }
            (current, currentError) = (best, bestError)
        }
        return best
    }

    /// `plan` with one or two full calls in another place.
    private func move(_ plan: [Int], _ random: inout Generator) -> [Int] {
        let free = (prefix..<calls).filter { !plan.contains($0) }
        let movable = plan.filter { $0 >= prefix }
        guard movable.count > 1, free.count > 1, Double.random(in: 0..<1, using: &random) >= 0.9 else {
            let from = pick(movable, &random)
            let near = free.filter { abs($0 - from) <= Self.window }
            let isNear = Double.random(in: 0..<1, using: &random) < 0.7 && !near.isEmpty
            return replace([from], by: [pick(isNear ? near : free, &random)], in: plan)
        }
        return replace(
            Array(movable.shuffled(using: &random).prefix(2)), by: Array(free.shuffled(using: &random).prefix(2)),
            in: plan)
    }

    /// Every plan in which one full call has moved within the window, and some in which one has moved anywhere.
    private func neighbours(_ plan: [Int], _ random: inout Generator) -> [[Int]] {
        let free = (prefix..<calls).filter { !plan.contains($0) }
        return plan.filter { $0 >= prefix }.flatMap { from in
            let near = free.filter { abs($0 - from) <= Self.window }
            let far = (0..<Self.jumps).map { _ in pick(free, &random) }
            return (near + far).map { replace([from], by: [$0], in: plan) }
        }
    }

    private func replace(_ from: [Int], by to: [Int], in plan: [Int]) -> [Int] {
        (plan.filter { !from.contains($0) } + to).sorted()
    }

    private func pick(_ calls: [Int], _ random: inout Generator) -> Int {
        calls[Int.random(in: 0..<calls.count, using: &random)]
    }

    /// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), always from the same seed: a search is repeatable.
    private struct Generator: RandomNumberGenerator {
        private var state: UInt64 = 0

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
