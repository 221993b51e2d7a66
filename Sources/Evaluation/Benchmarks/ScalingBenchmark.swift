import Compute
import Models
import Sampling

/// How the cost of a model grows with what is asked of it.
struct ScalingBenchmark {
    let subject: BenchmarkSubject
    let workers: Workers

    /// Steps of the images, which are as many as the smaller count, or twice that.
    private static let steps = 4
    private static let images = 2

    /// Takes all measures; pairs are interleaved.
    func measure(repeats: Int) throws -> BenchmarkReport.Scaling {
        BenchmarkReport.Scaling(
            images: try imageCost(repeats),
            tokens: [subject.config.size.tokens, try subject.config.enlarged(by: 2).size.tokens],
            tokenCost: try tokenCost(repeats), allocationsInSteps: try allocations())
    }

    private func imageCost(_ repeats: Int) throws -> PairedRatio {
        let run = BenchmarkRun(subject: subject, workers: workers)
        func sample(_ count: Int) throws {
            for _ in 0..<count { _ = try run.sample(steps: Self.steps) }
        }
        try sample(1)
        let times = try Stopwatch.interleaved(
            rounds: repeats, [{ try sample(Self.images) }, { try sample(2 * Self.images) }])
        return PairedRatio(times[1].map { $0 / 2 }, over: times[0])
    }

    /// The same blocks on inputs of twice the side, which makes four times the tokens.
    private func tokenCost(_ repeats: Int) throws -> PairedRatio {
        let network = try subject.config.enlarged(by: 2).random(seed: 5)
        let entries = subject.branches
        let few = try ForwardRunner(network: subject.network, entries: entries, workers: workers)
        let many = try ForwardRunner(network: network, entries: entries, workers: workers)
        // As many tokens in each half of a pair.
        let times = Stopwatch.interleaved(
            rounds: repeats, [{ for _ in 0..<4 { few.run() } }, { many.run() }] as [() -> Void])
        let operations = [subject.network, network].map { $0.operations(entries: entries) }
        let expected = operations[1] / (4 * operations[0])
        return PairedRatio(times[1].map { $0 / expected }, over: times[0])
    }

    /// How many tensors the steps of a run allocate.
    private func allocations() throws -> Int {
        var run = try BenchmarkRun(subject: subject, workers: workers).start(steps: Self.steps)
        let before = Tensor.allocationCount
        while try run.next() != nil {}
        return Tensor.allocationCount - before
    }
}
