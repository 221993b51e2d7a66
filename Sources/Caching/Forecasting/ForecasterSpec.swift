import Sampling

/// A forecaster as a value that is stored, compared and hashed; a run's calls make a ``Forecaster`` of it.
public enum ForecasterSpec: Equatable, Sendable {
    /// The last output again.
    case hold(quantity: ForecastQuantity)
    /// A polynomial through the last order + 1 outputs.
    case taylor(order: Int, quantity: ForecastQuantity, variable: ForecastVariable)
    /// The same in steps, with scaled Hermite polynomials.
    case hermite(order: Int, scale: Double, quantity: ForecastQuantity)
    /// The paper's corrected reuse: one γ per model call, and the filter, if any.
    case omnicache(gammas: [Double], filter: OmniCacheForecaster.Filter?, quantity: ForecastQuantity)
    /// Weights that were fitted for one plan, each term with one per band.
    case fitted(
        name: FittedName, quantity: ForecastQuantity, depth: Int, bandCount: Int, entries: [FittedForecaster.Entry])

    /// The ways to fit.
    public enum FittedName: String, CaseIterable, Codable, Sendable {
        /// Least squares on the uncached run's outputs.
        case spectral
        /// In closed loop, to lead back to the uncached run's path.
        case steering
    }

    /// The name on the command line, with what is chosen often: `taylor:2`.
    public var name: String {
        switch self {
        case .hold: "hold"
        case .taylor(let order, _, _): "taylor:\(order)"
        case .hermite(let order, _, _): "hermite:\(order)"
        case .omnicache: "omnicache"
        case .fitted(let name, _, _, _, _): name.rawValue
        }
    }

    /// The forecaster for a run of `calls`.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)`` when a parameter makes no sense,
    ///   ``PlanError/doesNotFit(_:)`` when it is for a run of another length.
    public func forecaster(calls: [ModelCall]) throws(PlanError) -> any Forecaster {
        try validate()
        switch self {
        case .hold(let quantity):
            return HoldForecaster(quantity: quantity)
        case .taylor(let order, let quantity, let variable):
            return TaylorForecaster(order: order, quantity: quantity, variable: variable, calls: calls)
        case .hermite(let order, let scale, let quantity):
            return HermiteForecaster(order: order, scale: scale, quantity: quantity)
        case .omnicache(let gammas, let filter, let quantity):
            guard gammas.count == calls.count else {
                throw .doesNotFit(
                    "the omnicache forecaster has \(gammas.count) gammas for a run of \(calls.count) model calls")
            }
            return OmniCacheForecaster(gammas: gammas, filter: filter, quantity: quantity)
        case .fitted(let name, let quantity, let depth, let bandCount, let entries):
            return FittedForecaster(
                name: name.rawValue, quantity: quantity, depth: depth, bandCount: bandCount, entries: entries)
        }
    }

    /// Checks the parameters.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)``.
    func validate() throws(PlanError) {
        switch self {
        case .hold:
            break
        case .taylor(let order, _, _):
            guard TaylorForecaster.orders.contains(order) else {
                throw .invalidForecaster("taylor of order \(order): there are orders 1 to 4")
            }
        case .hermite(let order, let scale, _):
            guard HermiteForecaster.orders.contains(order) else {
                throw .invalidForecaster("hermite of order \(order): there are orders 1 to 4")
            }
            guard scale.isFinite, scale > 0 else {
                throw .invalidForecaster("hermite of scale \(scale): give a number above 0, such as 0.5")
            }
        case .omnicache(let gammas, _, _):
            if let call = gammas.firstIndex(where: { !$0.isFinite }) {
                throw .invalidForecaster("omnicache: the gamma of model call \(call) is \(gammas[call])")
            }
        case .fitted(let name, _, let depth, let bandCount, let entries):
            guard (1...255).contains(bandCount), (1...Self.deepest).contains(depth) else {
                throw .invalidForecaster(
                    "\(name.rawValue): \(bandCount) bands and a depth of \(depth); there are 1 to 255 bands, and 1 to "
                        + "\(Self.deepest) outputs to look back on")
            }
            for term in entries.flatMap(\.terms)
            where term.weights.count != bandCount || !term.weights.allSatisfy(\.isFinite) {
                throw .invalidForecaster("\(name.rawValue): a term does not have \(bandCount) finite weights")
            }
        }
    }

    /// The most outputs of a branch that a fitted forecast may keep.
    private static let deepest = 64
}
