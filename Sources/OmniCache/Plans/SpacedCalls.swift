/// Full calls at even distances, for rules with a fixed period: any number of them, so distances may differ by one.
public enum SpacedCalls {
    /// Which of `calls` calls are full when `full` of them are: the first `warmUp`, then one wherever the share that is
    /// due reaches a whole number.
    ///
    /// With `full` a divisor of `calls` and no warm-up beyond the first call this is n % (calls / full) == 0.
    public static func full(calls: Int, full: Int, warmUp: Int = 1) -> [Bool] {
        precondition((1...max(1, calls)).contains(full), "\(full) full calls of \(calls)")
        let start = min(max(1, warmUp), full) - 1
        let (rest, due) = (calls - start, full - start)
        return (0..<calls).map { call in
            guard call > start else { return true }
            let n = call - start
            return (n * due + rest - 1) / rest < ((n + 1) * due + rest - 1) / rest
        }
    }
}
