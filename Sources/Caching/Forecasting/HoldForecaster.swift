import Sampling

/// Repeats the last evaluated output: what caches do that only reuse.
public struct HoldForecaster: Forecaster {
    public let name = "hold"
    public let quantity: ForecastQuantity
    public let depth = 1
    public let bandCount = 1

    /// Holds `quantity`; which one is held matters, since they differ by the state, which moves on.
    public init(quantity: ForecastQuantity = .direction) {
        self.quantity = quantity
    }

    public func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        [ForecastTerm(branch: branch, call: history.newest(of: branch), weight: 1)]
    }
}

extension OutputHistory {
    /// The last call at which `branch` was evaluated.
    func newest(of branch: GuidanceBranches) -> Int {
        guard let newest = calls(of: branch).first else { preconditionFailure("nothing has been evaluated yet") }
        return newest
    }
}
