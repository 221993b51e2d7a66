import Sampling

/// The correction of the paper (OmniCache, arXiv 2508.16212) in our reading: the output of the last full step, less the
/// cache noise that has been predicted from step to step and filtered.
///
/// The cache noise of a step is qₙ = eₙ₋₁ − eₙ, and the paper predicts it from the step before by a correlation factor:
/// qₙ = γₙ qₙ₋₁. The text that says how is not available to us, so this is our reading. For a call n after the last full
/// call c: e~ₙ = e_c − Fₙ(q_c (γ_{c+1} + γ_{c+2} γ_{c+1} + … up to n)). The last known noise q_c follows from the last
/// two evaluated outputs by the same rule: e_p − e_c = q_{p+1} + … + q_c = q_c (1 + 1/γ_c + … + 1/(γ_c ⋯ γ_{p+2})).
/// Fₙ is a low-pass before the stage boundary, where detail is to be protected, and a high-pass after it, where structure
/// is. With γ = 1 and no filter this is a Taylor forecast of order 1 in steps.
public struct OmniCacheForecaster: Forecaster {
    public let name = "omnicache"
    public let quantity: ForecastQuantity
    public let depth = 2

    /// γ at each call; that of the first two calls is not looked at.
    public let gammas: [Double]
    /// Which frequencies are corrected; nil for all.
    public let filter: Filter?

    public var bandCount: Int { filter?.bandCount ?? 1 }

    /// What γ must be for the noise of earlier steps to be told from it: noise that all but dies out, or changes its sign,
    /// from one step to the next says nothing about the step before.
    private static let invertible = 0.1...10

    /// A forecaster with one finite γ per model call.
    public init(gammas: [Double], filter: Filter?, quantity: ForecastQuantity = .direction) {
        precondition(gammas.allSatisfy(\.isFinite), "a γ is not a number")
        self.gammas = gammas
        self.filter = filter
        self.quantity = quantity
    }

    public func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        let known = history.calls(of: branch)
        let last = history.newest(of: branch)
        guard known.count > 1 else { return [ForecastTerm(branch: branch, call: last, weight: 1)] }
        let before = known[1]
        var (factor, ahead) = (1.0, 0.0)
        for n in last + 1...call {
            factor *= gammas[n]
            ahead += factor
        }
        let ratio = ahead / noiseShares(from: before, to: last)
        let passes = filter?.passes(at: call, of: gammas.count) ?? [1]
        return [
            ForecastTerm(branch: branch, call: last, weights: passes.map { 1 + ratio * $0 }),
            ForecastTerm(branch: branch, call: before, weights: passes.map { -ratio * $0 }),
        ]
    }

    /// (e_p − e_c)/q_c: how many times the last step's noise the steps from p to c brought together.
    private func noiseShares(from p: Int, to c: Int) -> Double {
        var (factor, sum) = (1.0, 1.0)
        for n in stride(from: c, to: p + 1, by: -1) {
            guard Self.invertible.contains(gammas[n]) else { return Double(c - p) }
            factor /= gammas[n]
            sum += factor
        }
        return sum
    }
}
