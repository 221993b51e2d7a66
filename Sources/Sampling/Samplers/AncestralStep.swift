/// The true posterior q(x' | x, x0) of a step between two levels (Ho et al., arXiv 2006.11239, eq. 6 and 7).
struct AncestralStep {
    /// 1 − ᾱ/ᾱ', the beta of a process that takes the step at once.
    let beta: Double
    /// The variance of x'.
    let posteriorVariance: Double
    /// The weight of x0 in the mean of x'.
    let cleanWeight: Double
    /// The weight of x in the mean of x'.
    let stateWeight: Double

    init(from level: NoiseLevel, to next: NoiseLevel) {
        let alpha = level.alphaBar / next.alphaBar
        let (variance, nextVariance) = (level.noise * level.noise, next.noise * next.noise)
        beta = 1 - alpha
        posteriorVariance = nextVariance / variance * beta
        cleanWeight = next.signal * beta / variance
        stateWeight = alpha.squareRoot() * nextVariance / variance
    }
}
