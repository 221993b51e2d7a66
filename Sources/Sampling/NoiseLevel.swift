import Glibc

/// The mixture of clean sample and noise in a state: x = α x0 + σ ε.
///
/// Every noise level also has a place on the *path* (z, s), the coordinates in which sampling is the plain integral
/// dz/ds = e. Variance preserving: z = x/α and s = σ/α, e is the noise prediction (Song et al., arXiv 2010.02502,
/// eq. 13). Flow: z = x and s = τ, the time towards noise, e is the velocity.
public struct NoiseLevel: Equatable, Sendable {
    /// α, the share of the clean sample.
    public let alpha: Double

    /// σ, the share of unit noise.
    public let sigma: Double

    /// The factor from the state to its path coordinate: z = pathScale · x.
    public let pathScale: Double

    /// The path coordinate s; falls from step to step.
    public let pathPosition: Double

    /// How the mixture changes along a flow; not used at a variance-preserving level.
    let rates: FlowRates

    /// The level α² = `alphaBar`, σ² = 1 − `alphaBar`.
    public static func variancePreserving(alphaBar: Double) -> NoiseLevel {
        let alpha = alphaBar.squareRoot()
        let sigma = (1 - alphaBar).squareRoot()
        return NoiseLevel(
            alpha: alpha, sigma: sigma, pathScale: 1 / alpha, pathPosition: sigma / alpha, rates: .linear)
    }

    /// The level of `flow` at noise time `time`, 0 to 1, after shifting.
    public static func flow(_ flow: Flow, time: Double) -> NoiseLevel {
        let sign = flow.direction == .toNoise ? 1.0 : -1
        let noise = flow.noiseScale
        switch flow.path {
        case .linear:
            return NoiseLevel(
                alpha: 1 - time, sigma: noise * time, pathScale: 1, pathPosition: time,
                rates: FlowRates(alpha: -1, sigma: noise, determinant: noise, outputSign: sign))
        case .trigonometric:
            // Both as sines: α is then exactly 0 where all is noise, and σ where all is data.
            let (alpha, sigma) = (sin(.pi / 2 * (1 - time)), sin(.pi / 2 * time))
            return NoiseLevel(
                alpha: alpha, sigma: noise * sigma, pathScale: 1, pathPosition: time,
                rates: FlowRates(
                    alpha: -.pi / 2 * sigma, sigma: noise * .pi / 2 * alpha, determinant: noise * .pi / 2,
                    outputSign: sign))
        }
    }

    /// α², which for a variance-preserving process is the running product usually written ᾱ.
    public var alphaBar: Double { alpha * alpha }
}

/// How a flow's mixture changes with its noise time: dx/dτ = α' x0 + σ' ε.
///
/// With x = α x0 + σ ε these are two equations for x0 and ε; their determinant is the same all along each path.
struct FlowRates: Equatable, Sendable {
    /// α', of the clean sample's share.
    let alpha: Double
    /// σ', of the noise's share.
    let sigma: Double
    /// α σ' − σ α'.
    let determinant: Double
    /// The model's output over dx/dτ: 1, or −1 for a flow towards the data.
    let outputSign: Double

    /// Those of a linear path in the direction of noise.
    static let linear = FlowRates(alpha: -1, sigma: 1, determinant: 1, outputSign: 1)
}

/// The noise level of every training timestep of a variance-preserving process, in Double.
///
/// The reference keeps this table in single precision, where 1 − ᾱ of the first timesteps has three correct digits;
/// the table here has them all, which is the largest difference between the two implementations' coefficients.
public struct NoiseSchedule: Equatable, Sendable {
    /// ᾱ of timesteps 0 ..< count: the running product of 1 − beta.
    public let alphaBars: [Double]

    /// Builds the table from betas between 0 and 1.
    public init(betas: [Double]) {
        var product = 1.0
        alphaBars = betas.map { beta in
            product *= 1 - beta
            return product
        }
    }

    /// The level at training timestep `timestep`, 0 ..< `alphaBars.count`.
    public func level(at timestep: Int) -> NoiseLevel {
        .variancePreserving(alphaBar: alphaBars[timestep])
    }
}
