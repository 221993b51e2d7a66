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
}
