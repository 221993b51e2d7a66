/// MagCache's schedule (Ma et al., arXiv 2506.09045): reuses the stack's residual while its size, known from a
/// calibration, has changed little.
public struct MagnitudeSchedule: Sendable {
    /// ratios[n]: the size of the residual at call n over that at call n − 1.
    public let ratios: [Double]

    /// The schedule of these ratios.
    public init(ratios: [Double]) {
        self.ratios = ratios
    }

    /// Which calls are full.
    ///
    /// - Parameters:
    ///   - threshold: The accumulated |1 − ratio| up to which a residual is reused.
    ///   - longest: The most calls in a row that are reused.
    ///   - warmUp: How many calls are full at the start.
    /// - Returns: For each call, whether it is full.
    public func full(threshold: Double, longest: Int, warmUp: Int) -> [Bool] {
        var (ratio, error, run) = (1.0, 0.0, 0)
        return ratios.enumerated().map { call, step in
            guard call >= max(1, warmUp) else { return true }
            ratio *= step
            error += abs(1 - ratio)
            run += 1
            guard error > threshold || run > longest else { return false }
            (ratio, error, run) = (1, 0, 0)
            return true
        }
    }
}
