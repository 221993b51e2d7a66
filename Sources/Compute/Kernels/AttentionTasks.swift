/// How an attention is cut into independent tasks: some blocks of queries of one head each.
struct AttentionTasks {
    private let queries, queriesPerBlock, queriesPerTask, tasksPerHead: Int
    /// How many tasks there are.
    let count: Int

    /// About two tasks for each worker, of blocks of at most `queriesPerBlock` queries.
    init(_ shape: AttentionShape, queriesPerBlock: Int, workers: Workers) {
        queries = shape.queries
        self.queriesPerBlock = queriesPerBlock
        let blocks = (queries + queriesPerBlock - 1) / queriesPerBlock
        let wanted = (2 * workers.count + shape.heads - 1) / shape.heads
        queriesPerTask = max(1, blocks / wanted) * queriesPerBlock
        tasksPerHead = (queries + queriesPerTask - 1) / queriesPerTask
        count = shape.heads * tasksPerHead
    }

    /// The head of a task.
    func head(of task: Int) -> Int { task / tasksPerHead }

    /// Calls `body` with the queries of each block of a task.
    @inline(__always)
    func forEachBlock(of task: Int, _ body: (Range<Int>) -> Void) {
        let start = task % tasksPerHead * queriesPerTask
        let end = min(queries, start + queriesPerTask)
        for first in stride(from: start, to: end, by: queriesPerBlock) {
            body(first..<min(end, first + queriesPerBlock))
        }
    }
}
