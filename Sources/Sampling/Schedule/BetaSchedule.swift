import Glibc

/// How much noise each training timestep of a variance-preserving process adds: the betas, in Double.
public enum BetaSchedule: Equatable, Sendable {
    /// Equal steps from `start` to `end` (Ho et al., arXiv 2006.11239).
    case linear(start: Double, end: Double)
    /// Equal steps of the square root, as in latent diffusion (arXiv 2112.10752).
    case scaledLinear(start: Double, end: Double)
    /// The cosine schedule of Nichol & Dhariwal (arXiv 2102.09672), eq. 17, each beta at most 0.999.
    case squaredCosine
    /// The betas themselves, one per training timestep.
    case trained([Double])

    /// The betas of timesteps 0 ..< `count`.
    public func betas(count: Int) -> [Double] {
        switch self {
        case .linear(let start, let end):
            return Self.evenlySpaced(from: start, to: end, count: count)
        case .scaledLinear(let start, let end):
            return Self.evenlySpaced(from: start.squareRoot(), to: end.squareRoot(), count: count).map { $0 * $0 }
        case .squaredCosine:
            return (0..<count).map { index in
                let here = Self.cosineAlphaBar(at: Double(index) / Double(count))
                let next = Self.cosineAlphaBar(at: Double(index + 1) / Double(count))
                return min(1 - next / here, 0.999)
            }
        case .trained(let betas):
            return betas
        }
    }

    private static func evenlySpaced(from start: Double, to end: Double, count: Int) -> [Double] {
        guard count > 1 else { return Array(repeating: start, count: count) }
        return (0..<count).map { start + (end - start) * Double($0) / Double(count - 1) }
    }

    private static func cosineAlphaBar(at time: Double) -> Double {
        let cosine = cos((time + 0.008) / 1.008 * .pi / 2)
        return cosine * cosine
    }
}
