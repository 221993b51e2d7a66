import Synchronization
import Tensor
import Testing

@Suite struct WorkersTests {
    @Test(arguments: [1, 2, 5], [0, 1, 7, 100])
    func `every task runs exactly once`(threads: Int, tasks: Int) {
        let runs = Tensor([max(1, tasks)])
        Workers(count: threads).run(tasks: tasks) { worker, task in
            precondition((0..<threads).contains(worker))
            runs.values[task] += 1
        }
        #expect(runs.values.prefix(tasks).allSatisfy { $0 == 1 })
    }

    @Test func `fewer than one thread counts as one`() {
        #expect(Workers(count: 0).count == 1)
        #expect(Workers(count: -3).count == 1)
        #expect(Workers.available >= 1)
    }
}
