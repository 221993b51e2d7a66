/// Takes times.
enum Stopwatch {
    /// What `body` takes, in seconds.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(body) / .seconds(1)
    }

    /// What each of `bodies` takes in each of `rounds`, by body: one after the other within a round, begun by another in
    /// each, so that none always follows the same.
    static func interleaved<Failure: Error>(
        rounds: Int, _ bodies: [() throws(Failure) -> Void]
    ) throws(Failure) -> [[Double]] {
        var times = bodies.map { _ in [Double]() }
        for round in 0..<rounds {
            for position in bodies.indices {
                let index = (round + position) % bodies.count
                let start = ContinuousClock.now
                try bodies[index]()
                times[index].append((ContinuousClock.now - start) / .seconds(1))
            }
        }
        return times
    }
}
