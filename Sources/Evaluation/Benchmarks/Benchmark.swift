import Compute
import Models
import Sampling

/// Measures a model on this machine, and reports nothing that has not been checked: operations against a calculation in
/// double precision, what is made of them for being the same on all threads as on one.
public struct Benchmark {
    /// What is measured.
    public let subject: BenchmarkSubject
    private let workers: Workers
    private let repeats: Int

    /// Steps of the images that are timed.
    private static let imageSteps = 10

    /// - Parameters:
    ///   - subject: the model.
    ///   - workers: the threads to use.
    ///   - repeats: how often each thing is timed, at least 1.
    public init(subject: BenchmarkSubject, workers: Workers, repeats: Int) {
        self.subject = subject
        self.workers = workers
        self.repeats = max(1, repeats)
    }

    private var network: any DenoisingNetwork { subject.network }

    /// A report of nothing yet.
    public var emptyReport: BenchmarkReport {
        let size = subject.config.size
        return BenchmarkReport(
            versions: .current, kernels: BLAS.kernels,
            arithmetic: subject.engine.arithmetic == .standard ? nil : subject.engine.arithmetic,
            threads: workers.count, repeats: repeats,
            subject: BenchmarkReport.Subject(
                name: subject.name, depth: size.depth, width: size.width, heads: size.heads, tokens: size.tokens,
                parameters: network.parameterCount))
    }

    /// Every operation of a forward, and the decoder's convolutions; each is checked before it is timed.
    ///
    /// - Parameter progress: called with the share that is done.
    /// - Returns: their times, in the order of the forward.
    /// - Throws: ``WrongResult``, or `ModelError` when the decoder's configuration cannot be read.
    public func operations(progress: (Double) -> Void = { _ in }) throws -> [BenchmarkReport.Operation] {
        var operations = ForwardOperations(
            network: network, engine: subject.engine, entries: subject.branches, workers: workers
        ).all
        if let decoder = subject.decoder?.directory {
            operations += try ConvolutionOperations(
                decoder: decoder, latents: network.latentShape, workers: workers
            ).all
        }
        return try operations.enumerated().map { index, operation in
            defer { progress(Double(index + 1) / Double(operations.count)) }
            return try operation.measure(repeats: repeats)
        }
    }

    /// Forwards of both branches and of one, each interleaved with the list of its own matrix products.
    public func forwards(progress: (Double) -> Void = { _ in }) throws -> [BenchmarkReport.Forward] {
        let counts = Array(Set([subject.branches, 1])).sorted(by: >)
        return try counts.enumerated().map { index, entries in
            defer { progress(Double(index + 1) / Double(counts.count)) }
            return try forward(entries: entries)
        }
    }

    private func forward(entries: Int) throws -> BenchmarkReport.Forward {
        let runner = try ForwardRunner(network: network, entries: entries, workers: workers)
        let reference = try ForwardRunner(network: network, entries: entries, workers: Workers(count: 1))
        try check("forward of \(entries) branches", runner.outputs, onOneThread: reference.outputs)
        let bare = subject.engine.bareProducts(of: network, entries: entries, workers: workers)
        bare.run()
        let times = Stopwatch.interleaved(rounds: repeats, [{ runner.run() }, { bare.run() }] as [() -> Void])
        let operations = network.operations(entries: entries)
        let (seconds, bareSeconds) = (Quartiles(times[0]), Quartiles(times[1]))
        return BenchmarkReport.Forward(
            branches: entries, seconds: seconds, gflops: operations / seconds.median / 1e9, bareSeconds: bareSeconds,
            bareGflops: operations / bareSeconds.median / 1e9, share: PairedRatio(times[1], over: times[0]),
            splits: Dictionary(
                uniqueKeysWithValues: network.products.map { ($0.name, bare.splitName(of: $0)) }))
    }

    /// What all threads have made must be what one makes, bit for bit, and finite.
    private func check(_ name: String, _ found: [Tensor], onOneThread: [Tensor]) throws(WrongResult) {
        let pairs = zip(found, onOneThread).flatMap { zip($0.elements, $1.elements.map(Double.init)) }
        let error = BenchmarkOperation.error(pairs.lazy.map { ($0.0, $0.1) })
        guard error == 0 else { throw WrongResult(name: "\(name), by threads", error: error, bound: 0) }
    }

    /// A decoding, if there is a decoder, and a short run with its decoding; each is checked before it is timed.
    ///
    /// - Throws: ``WrongResult``, or what a decoder that cannot be used throws.
    public func timings(progress: (Double) -> Void = { _ in }) throws -> [BenchmarkReport.Timing] {
        var timings: [BenchmarkReport.Timing] = []
        let decoder = try subject.decoder?.load(workers: workers, engine: subject.engine)
        if let decoder, let source = subject.decoder, source.directory != nil {
            let latents = ArbitraryNumbers.tensor(subject.latentShape, seed: 51)
            let reference = try source.load(workers: Workers(count: 1), engine: subject.engine)
            try check("decoding", decoder.planes(of: latents), onOneThread: reference.planes(of: latents))
            let times = try (0..<repeats).map { _ in
                try Stopwatch.seconds { _ = try decoder.planes(of: latents) }
            }
            timings.append(BenchmarkReport.Timing(what: "decoding", seconds: Quartiles(times)))
        }
        progress(0.5)
        let run = BenchmarkRun(subject: subject, workers: workers)
        let reference = BenchmarkRun(subject: subject, workers: Workers(count: 1))
        try check("step", [run.sample(steps: 1)], onOneThread: [reference.sample(steps: 1)])
        let times = try (0..<repeats).map { _ in
            try Stopwatch.seconds {
                let latents = try run.sample(steps: Self.imageSteps)
                if let decoder { _ = try decoder.decode(latents) }
            }
        }
        progress(1)
        let branches = subject.branches == 2 ? "guided steps" : "steps"
        let ending = decoder == nil ? "" : ", decoded"
        timings.append(
            BenchmarkReport.Timing(
                what: "image of \(Self.imageSteps) \(branches)\(ending)", seconds: Quartiles(times)))
        return timings
    }

    /// Where the time of a forward of all branches goes.
    public func profile() throws -> BenchmarkReport.Profile {
        try ForwardProfiler(network: network, entries: subject.branches, workers: workers).measure(repeats: repeats)
    }

    /// How cost grows with images and tokens.
    public func scaling() throws -> BenchmarkReport.Scaling {
        try ScalingBenchmark(subject: subject, workers: workers).measure(repeats: repeats)
    }
}

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
        let network = try subject.config.enlarged(by: 2).random(seed: 5, engine: subject.engine)
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
