/// How much signal and how much noise a state holds: x = α x0 + σ ε.
///
/// Every noise level also has a place on the *path* (z, s), the coordinates in which sampling is the plain integral
/// dz/ds = e. Variance preserving: z = x/α and s = σ/α, e is the noise prediction (Song et al., arXiv 2010.02502,
/// eq. 13). Flow: z = x and s = σ, e is the velocity.
public struct NoiseLevel: Equatable, Sendable {
    /// α, the share of the clean sample.
    public let signal: Double

    /// σ, the share of unit noise.
    public let noise: Double

    /// The factor from the state to its path coordinate: z = pathScale · x.
    public let pathScale: Double

    /// The path coordinate s; falls from step to step.
    public let pathPosition: Double

    /// The level α² = `alphaBar`, σ² = 1 − `alphaBar`.
    public static func variancePreserving(alphaBar: Double) -> NoiseLevel {
        let signal = alphaBar.squareRoot()
        let noise = (1 - alphaBar).squareRoot()
        return NoiseLevel(signal: signal, noise: noise, pathScale: 1 / signal, pathPosition: noise / signal)
    }

    /// The level α = 1 − `sigma`, σ = `sigma`.
    public static func flow(sigma: Double) -> NoiseLevel {
        NoiseLevel(signal: 1 - sigma, noise: sigma, pathScale: 1, pathPosition: sigma)
    }

    /// α², which for a variance-preserving process is the running product usually written ᾱ.
    public var alphaBar: Double { signal * signal }
}
