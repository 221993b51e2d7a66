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
public struct OmniCacheRule: ForecastRule {
    public static let kinds = ["omnicache"]

    /// γ at each call; those of the first two calls are not used.
    public let gammas: [Double]
    /// Which frequencies are corrected; nil for all.
    public let filter: Filter?

    public var depth: Int { 2 }
    public var bandCount: Int { filter?.bandCount ?? 1 }

    /// The γ from which the noise of earlier steps can be computed: noise that all but dies out, or changes its sign,
    /// from one step to the next says nothing about the step before.
    private static let invertible = 0.1...10

    public func validate() throws(PlanError) {
        if let call = gammas.firstIndex(where: { !$0.isFinite }) {
            throw .invalidForecaster("omnicache: the gamma of model call \(call) is \(gammas[call])")
        }
    }

    public func check(_ plan: ReusePlan) throws(PlanError) {
        guard gammas.count == plan.calls else {
            throw .doesNotFit(
                "the omnicache forecaster has \(gammas.count) gammas for a run of \(plan.calls) model calls")
        }
    }

    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
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

extension OmniCacheRule {
    /// Which frequency bands are corrected when.
    public struct Filter: Equatable, Sendable {
        /// The share of the run, counted in calls, after which the low-pass becomes a high-pass.
        public let boundary: Double
        /// Before the boundary, bands below this one pass.
        public let lowPass: Int
        /// After the boundary, bands from this one on pass.
        public let highPass: Int
        /// The number of bands.
        public let bandCount: Int

        /// Cutoffs from 0 to the number of bands, and a boundary from 0 to 1.
        public init(boundary: Double, lowPass: Int, highPass: Int, bandCount: Int = 8) {
            self.boundary = boundary
            self.lowPass = lowPass
            self.highPass = highPass
            self.bandCount = bandCount
            precondition(isValid, "no filter: \(self)")
        }

        private var isValid: Bool {
            (0...1).contains(boundary) && (1...255).contains(bandCount) && (0...bandCount).contains(lowPass)
                && (0...bandCount).contains(highPass)
        }

        /// Where nothing else is asked for: the lower half of eight bands in the first half of the run, all but the lowest
        /// two in the second [I].
        public static let standard = Filter(boundary: 0.5, lowPass: 4, highPass: 2)

        /// For each band, 1 where the correction passes at `call` of `count` and 0 where it does not.
        func passes(at call: Int, of count: Int) -> [Double] {
            let isEarly = Double(call) < boundary * Double(count)
            return (0..<bandCount).map { (isEarly ? $0 < lowPass : $0 >= highPass) ? 1 : 0 }
        }
    }
}

extension OmniCacheRule.Filter: Codable {
    private enum CodingKeys: String, CodingKey {
        case boundary, lowPass, highPass
        case bandCount = "bands"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        boundary = try fields.decode(Double.self, forKey: .boundary)
        lowPass = try fields.decode(Int.self, forKey: .lowPass)
        highPass = try fields.decode(Int.self, forKey: .highPass)
        bandCount = try fields.decode(Int.self, forKey: .bandCount)
        guard isValid else {
            throw PlanError.invalidForecaster(
                "omnicache: a filter has a boundary from 0 to 1 and cutoffs from 0 to its 1 to 255 bands")
        }
    }
}

extension Forecaster {
    /// ``OmniCacheRule`` with one finite γ per model call.
    public static func omnicache(
        gammas: [Double], filter: OmniCacheRule.Filter?, quantity: ForecastQuantity = .direction
    ) -> Forecaster {
        Forecaster(OmniCacheRule(gammas: gammas, filter: filter), of: quantity)
    }
}
