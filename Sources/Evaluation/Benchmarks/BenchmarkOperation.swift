/// One operation at one shape, with what it must compute.
struct BenchmarkOperation {
    let name: String
    let shape: String
    /// Two per multiplication and addition; nil for what only moves numbers.
    var operations: Double?
    /// What is read and written, in bytes, where there are no operations to count.
    var bytes: Double?
    /// The largest error that is right, as a share of the largest value of the reference.
    let bound: Double
    /// Puts the numbers back that ``run`` changes in place.
    var reset: (() -> Void)?
    /// The error of the result, once the operation has run.
    let error: () -> Double
    /// What is timed.
    let run: () -> Void
    /// The same matrix product bare, split over the threads as suits it best.
    var bare: (() -> Void)?

    /// What is measured at least, in seconds, so that the clock and the start of threads do not count.
    private static let least = 0.001

    /// Checks the operation, then times it; one that computes something else than its reference has no speed.
    ///
    /// - Throws: ``WrongResult``.
    func measure(repeats: Int) throws(WrongResult) -> BenchmarkReport.Operation {
        reset?()
        run()
        let found = error()
        guard found <= bound else { throw WrongResult(name: "\(name) \(shape)", error: found, bound: bound) }

        let times: [[Double]]
        var count = 1
        if let reset {
            times = [
                (0..<repeats).map { _ in
                    reset(); return Stopwatch.seconds(run)
                }
            ]
        } else {
            count = max(1, Int(Self.least / max(Stopwatch.seconds(run), 1e-9)))
            let bodies: [() -> Void] = [run, bare].compactMap(\.self).map { body in { for _ in 0..<count { body() } } }
            times = Stopwatch.interleaved(rounds: repeats, bodies)
        }
        let seconds = Quartiles(times[0].map { $0 / Double(count) })
        return BenchmarkReport.Operation(
            name: name, shape: shape, seconds: seconds, gflops: operations.map { $0 / seconds.median / 1e9 },
            gigabytesPerSecond: bytes.map { $0 / seconds.median / 1e9 },
            share: times.count > 1 ? PairedRatio(times[1], over: times[0]) : nil, error: found, bound: bound)
    }

    /// The largest difference as a share of the largest reference; infinite if anything is not a number.
    static func error(_ pairs: some Sequence<(Float, Double)>) -> Double {
        var (scale, largest) = (0.0, 0.0)
        for (found, expected) in pairs {
            let difference = abs(Double(found) - expected)
            guard difference.isFinite else { return .infinity }
            scale = max(scale, abs(expected))
            largest = max(largest, difference)
        }
        return largest == 0 ? 0 : largest / scale
    }
}

/// An operation computed something else than its reference, so that nothing was timed.
public struct WrongResult: Error, Equatable, CustomStringConvertible {
    /// Which operation, at which shape.
    public let name: String
    /// Its largest error, as a share of the largest value of the reference.
    public let error: Double
    /// The largest that is right.
    public let bound: Double

    public var description: String {
        "\(name): the error is \(error), above \(bound), so it was not timed; please report it"
    }
}
