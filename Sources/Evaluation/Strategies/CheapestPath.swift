/// The path of a given number of edges through the calls of a run whose costs add up to the least.
enum CheapestPath {
    /// The best path from call 0 to the end of the run.
    ///
    /// - Parameters:
    ///   - calls: The number of calls; the end of the run is node `calls`.
    ///   - edges: The number of edges, which is that of full calls.
    ///   - cost: The cost of an edge from a full call to the next one, or to the end; nil where there is none.
    /// - Returns: The full calls, in order; nil when no path has as many edges.
    static func fullCalls(calls: Int, edges: Int, cost: (_ from: Int, _ to: Int) -> Double?) -> [Int]? {
        var costs = (0...calls).map { $0 == 0 ? 0 : Double.infinity }
        var predecessors: [[Int]] = []
        for _ in 0..<edges {
            var next = Array(repeating: Double.infinity, count: calls + 1)
            var from = Array(repeating: 0, count: calls + 1)
            for node in 0..<calls where costs[node].isFinite {
                for to in node + 1...calls {
                    guard let edge = cost(node, to), costs[node] + edge < next[to] else { continue }
                    (next[to], from[to]) = (costs[node] + edge, node)
                }
            }
            costs = next
            predecessors.append(from)
        }
        guard costs[calls].isFinite else { return nil }
        var path = [calls]
        for from in predecessors.reversed() { path.append(from[path[path.count - 1]]) }
        return path.dropFirst().reversed()
    }
}
