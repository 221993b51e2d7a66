import TestSupport
import Testing

@testable import Evaluation

/// Path searches against all paths of small graphs.
@Suite struct PathTests {
    /// All ways to choose `count` full calls of `calls` that begin with the first `head`.
    private func choices(_ calls: Int, _ count: Int, head: Int) -> [[Int]] {
        func extend(_ chosen: [Int]) -> [[Int]] {
            guard chosen.count < count else { return [chosen] }
            return stride(from: (chosen.last ?? -1) + 1, to: calls, by: 1).flatMap { extend(chosen + [$0]) }
        }
        return extend(Array(0..<head))
    }

    @Test(arguments: 1...8) func `the minimax path is the best of all`(full: Int) throws {
        let calls = 8
        for seed in 0..<20 {
            // Few different costs, so that ties reach down to the second and third largest edge.
            let costs = noise(200, seed: UInt64(seed), scale: 4).map { Double(abs($0).rounded()) }
            func cost(_ from: Int, _ to: Int) -> Double { to - from == 1 ? 0 : costs[from * 10 + to] }
            func sorted(_ path: [Int]) -> [Double] {
                zip(path, path.dropFirst() + [calls]).map { cost($0, $1) }.sorted(by: >)
            }
            let path = try #require(MinimaxPath.fullCalls(calls: calls, edges: full, longest: calls, cost: cost))
            #expect(path.count == full && path.first == 0)
            let best = choices(calls, full, head: 1).map(sorted).min { $0.lexicographicallyPrecedes($1) }
            #expect(sorted(path) == best)
        }
    }

    @Test func `no edge is longer than allowed`() throws {
        let path = try #require(MinimaxPath.fullCalls(calls: 20, edges: 7, longest: 3) { from, to in Double(20 - to) })
        #expect(zip(path.dropFirst() + [20], path).allSatisfy { $0 - $1 <= 3 })
        #expect(MinimaxPath.fullCalls(calls: 20, edges: 6, longest: 3) { _, _ in 0 } == nil)
    }

    @Test func `no distance between full calls is longer than allowed`() throws {
        let path = try #require(
            PredecessorPath.fullCalls(calls: 20, full: 8, head: 3, longest: 3) { _, _, next in Double(20 - next) })
        #expect(zip(path.dropFirst() + [20], path).allSatisfy { $0 - $1 <= 3 })
        #expect(PredecessorPath.fullCalls(calls: 20, full: 7, head: 3, longest: 3) { _, _, _ in 0 } == nil)
    }

    @Test(arguments: 3...8) func `the path with costs that look back is the cheapest of all`(full: Int) throws {
        let calls = 8
        for seed in 0..<20 {
            let costs = noise(1000, seed: UInt64(seed)).map { Double(abs($0)) }
            func cost(_ previous: Int, _ call: Int, _ next: Int) -> Double {
                next - call == 1 ? 0 : costs[previous * 100 + call * 10 + next]
            }
            func total(_ path: [Int]) -> Double {
                let all = path + [calls]
                return (2..<all.count).reduce(0) { sum, i in
                    sum + (i < 3 ? 0 : cost(all[i - 2], all[i - 1], all[i]))
                }
            }
            let path = try #require(
                PredecessorPath.fullCalls(calls: calls, full: full, head: 3, longest: calls, cost: cost))
            #expect(path.count == full && path.starts(with: 0..<3))
            let best = try #require(choices(calls, full, head: 3).map(total).min())
            #expect(abs(total(path) - best) < 1e-12)
        }
    }

    @Test(arguments: 1...8) func `the path of the least sum is the cheapest of all`(full: Int) throws {
        let calls = 8
        for seed in 0..<20 {
            let costs = noise(100, seed: UInt64(seed)).map { Double(abs($0)) }
            func cost(_ from: Int, _ to: Int) -> Double { costs[from * 10 + to] }
            func total(_ path: [Int]) -> Double {
                zip(path, path.dropFirst() + [calls]).reduce(0) { $0 + cost($1.0, $1.1) }
            }
            let path = try #require(CheapestPath.fullCalls(calls: calls, edges: full, cost: cost))
            #expect(path.count == full && path.first == 0)
            let best = try #require(choices(calls, full, head: 1).map(total).min())
            #expect(abs(total(path) - best) < 1e-12)
        }
        #expect(CheapestPath.fullCalls(calls: 8, edges: 2) { from, to in to - from > 3 ? nil : 1 } == nil)
    }

    @Test(arguments: [3, 4, 6]) func `the search finds the best plan of a small run`(full: Int) {
        let calls = 9
        for seed in 0..<5 {
            let values = noise(1 << calls, seed: UInt64(seed)).map { Double(abs($0)) }
            // Smooth enough to descend on, with a part that is not.
            func error(_ plan: [Int]) -> Double {
                let distance = plan.enumerated().reduce(0) { $0 + abs($1.element - ($1.offset + 2)) }
                return 1 + Double(distance) + 0.2 * values[plan.reduce(0) { $0 | 1 << $1 }]
            }
            let prefix = max(1, full / 4)
            let found = BudCacheSearch(calls: calls, full: full).best { plan, _ in error(plan) }
            let all = choices(calls, full, head: prefix)
            #expect(found.count == full && found.starts(with: 0..<prefix))
            #expect(error(found) == all.map(error).min())
        }
    }

    @Test func `a search keeps its limit of plans, repeats one only for a higher limit, and is repeatable`() {
        var search = BudCacheSearch(calls: 30, full: 10)
        search.mostPlans = 50
        func run(givesUp: Bool) -> (plan: [Int], measured: [[Int]], limits: [Double]) {
            var (measured, limits): ([[Int]], [Double]) = ([], [])
            let plan = search.best { plan, limit in
                measured.append(plan)
                limits.append(limit)
                let error = 1 + plan.reduce(0.0) { $0 + abs(Double($1) - 15) } / 100
                return givesUp ? min(error, limit * 1.001) : error
            }
            return (plan, measured, limits)
        }
        let first = run(givesUp: false)
        #expect(first.measured.count == 50)
        for (index, plan) in first.measured.enumerated() {
            let earlier = first.measured[..<index].lastIndex(of: plan).map { first.limits[$0] }
            #expect(earlier ?? -.infinity < first.limits[index])
        }
        #expect(first.measured.allSatisfy { $0.count == 10 && $0 == $0.sorted() && $0.starts(with: [0, 1]) })
        #expect(run(givesUp: false).plan == first.plan)
        // A plan that is given up above the limit is not taken either way.
        #expect(run(givesUp: true).plan == first.plan)
        #expect(BudCacheSearch(calls: 5, full: 5).best { _, _ in 0 } == [0, 1, 2, 3, 4])
    }
}
