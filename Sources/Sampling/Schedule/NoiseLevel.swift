import Glibc

/// How much signal and how much noise a state holds: x = α x0 + σ ε.
///
/// Every noise level also has a place on the *path* (z, s), the coordinates in which sampling is the plain integral
/// dz/ds = e. Variance preserving: z = x/α and s = σ/α, e is the noise prediction (Song et al., arXiv 2010.02502,
/// eq. 13). Flow: z = x and s = τ, the time towards noise, e is the velocity.
public struct NoiseLevel: Equatable, Sendable {
    /// α, the share of the clean sample.
    public let signal: Double

    /// σ, the share of unit noise.
    public let noise: Double

    /// The factor from the state to its path coordinate: z = pathScale · x.
    public let pathScale: Double

    /// The path coordinate s; falls from step to step.
    public let pathPosition: Double

    /// How the mixture changes along a flow; nothing asks for it at a variance-preserving level.
    let rates: FlowRates

    /// The level α² = `alphaBar`, σ² = 1 − `alphaBar`.
    public static func variancePreserving(alphaBar: Double) -> NoiseLevel {
        let signal = alphaBar.squareRoot()
        let noise = (1 - alphaBar).squareRoot()
        return NoiseLevel(
            signal: signal, noise: noise, pathScale: 1 / signal, pathPosition: noise / signal, rates: .linear)
    }

    /// The level α = 1 − `sigma`, σ = `sigma` of a model that looks towards noise.
    public static func flow(sigma: Double) -> NoiseLevel {
        flow(Flow(), time: sigma)
    }

    /// The level of `flow` at noise time `time`, 0 to 1, after shifting.
    public static func flow(_ flow: Flow, time: Double) -> NoiseLevel {
        let sign = flow.direction == .toNoise ? 1.0 : -1
        switch flow.path {
        case .linear:
            return NoiseLevel(
                signal: 1 - time, noise: time, pathScale: 1, pathPosition: time,
                rates: FlowRates(signal: -1, noise: 1, determinant: 1, outputSign: sign))
        case .trigonometric:
            // Both as sines: α is then exactly 0 where all is noise, and σ where all is data.
            let (signal, noise) = (sin(.pi / 2 * (1 - time)), sin(.pi / 2 * time))
            return NoiseLevel(
                signal: signal, noise: noise, pathScale: 1, pathPosition: time,
                rates: FlowRates(
                    signal: -.pi / 2 * noise, noise: .pi / 2 * signal, determinant: .pi / 2, outputSign: sign))
        }
    }

    /// α², which for a variance-preserving process is the running product usually written ᾱ.
    public var alphaBar: Double { signal * signal }
}

/// How a flow's mixture changes with its noise time: dx/dτ = α' x0 + σ' ε.
///
/// With x = α x0 + σ ε these are two equations for x0 and ε; their determinant is the same all along each path.
struct FlowRates: Equatable, Sendable {
    /// α', of the clean sample's share.
    let signal: Double
    /// σ', of the noise's share.
    let noise: Double
    /// α σ' − σ α'.
    let determinant: Double
    /// The model's output over dx/dτ: 1, or −1 if the model looks towards the data.
    let outputSign: Double

    /// Those of a linear path in the direction of noise.
    static let linear = FlowRates(signal: -1, noise: 1, determinant: 1, outputSign: 1)
}
