/// What finite differences of a feature are multiplied by when it is carried k calls ahead.
public enum FeatureBasis: Equatable, Sendable {
    /// kⁱ/i!: TaylorSeer (Liu et al., arXiv 2503.06923, equation 6).
    case taylor
    /// sⁱ Hᵢ(s k)/i! with the physicists' Hermite polynomials: HiCache (Feng et al., arXiv 2508.16984).
    case hermite(scale: Double)

    /// The weights of the differences of order 0 up to `order`.
    public func weights(ahead k: Double, order: Int) -> [Double] {
        var weights = [1.0]
        var (previous, current, factor) = (0.0, 1.0, 1.0)
        for i in stride(from: 1, through: order, by: 1) {
            switch self {
            case .taylor:
                current *= k
                factor /= Double(i)
            case .hermite(let scale):
                // H_i(x) = 2 x H_{i-1}(x) − 2 (i − 1) H_{i-2}(x)
                (previous, current) = (current, 2 * scale * k * current - 2 * Double(i - 1) * previous)
                factor *= scale / Double(i)
            }
            weights.append(current * factor)
        }
        return weights
    }
}
