/// SmoothCache's schedule of one kind of layer (Liu et al., arXiv 2411.10510): greedily skips as many calls as the
/// calibrated error allows.
public struct SkipSchedule: Sendable {
    /// errors[k − 1][n]: the relative L1 change of the layers' output from call n to call n + k; 0 where there is none.
    public let errors: [[Double]]

    /// The schedule of these errors.
    public init(errors: [[Double]]) {
        self.errors = errors
    }

    /// Which of `calls` calls are full when a change of at most `threshold` is accepted; the first and the last are.
    public func full(calls: Int, threshold: Double) -> [Bool] {
        var full = Array(repeating: false, count: calls)
        var call = 0
        while call < calls {
            full[call] = true
            let longest = min(errors.count, calls - 2 - call)
            let skipped = stride(from: longest, to: 0, by: -1).first { errors[$0 - 1][call] <= threshold }
            call += 1 + (skipped ?? 0)
        }
        return full
    }
}
