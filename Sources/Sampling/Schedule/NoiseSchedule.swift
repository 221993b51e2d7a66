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
