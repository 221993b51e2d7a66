import Caching

/// The planners that are asked for by name.
public enum PlannerName: String, CaseIterable, Codable, Sendable {
    case uniform
    case late
    case curvature
    case path
    /// ``path`` for the accumulated deviation of the path rather than for the final image.
    case pathDeviation = "path-deviation"
    case balanced
}

/// A forecaster as it is asked for: complete by itself, or to be filled in from a calibration.
public enum ForecasterChoice: Equatable, Sendable {
    /// Needs to know nothing of the model.
    case complete(ForecasterSpec)
    /// Takes its coefficients from a calibration.
    case calibrated(CalibratedForecaster)

    /// The forecasters that are filled in from a calibration.
    public enum CalibratedForecaster: String, CaseIterable, Codable, Sendable {
        case omnicache
        /// ``omnicache`` without its filter.
        case omnicacheUnfiltered = "omnicache:unfiltered"
        case spectral
        case steering
    }

    /// Reads a name with optional parameters: `hold`, `taylor:2`, `taylor:2:x0:step`, `hermite`, `hermite:2:0.5`, …
    ///
    /// The parameters are the order, then the quantity and the variable (`taylor`), or the scale and the quantity
    /// (`hermite`); `hold:x0` names the quantity that is held.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)``.
    public init(_ text: String) throws(PlanError) {
        if let calibrated = CalibratedForecaster(rawValue: text) {
            self = .calibrated(calibrated)
            return
        }
        var parameters = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)[...]
        let name = parameters.removeFirst()
        func next<Value>(_ what: String, _ fallback: Value, _ read: (String) -> Value?) throws(PlanError) -> Value {
            guard let parameter = parameters.popFirst() else { return fallback }
            guard let value = read(parameter) else {
                throw .invalidForecaster("--forecaster \(text): '\(parameter)' is no \(what)")
            }
            return value
        }
        func quantity(_ fallback: ForecastQuantity = .direction) throws(PlanError) -> ForecastQuantity {
            let names = ForecastQuantity.allCases.map(\.rawValue).joined(separator: ", ")
            return try next("quantity (\(names))", fallback, ForecastQuantity.init)
        }
        switch name {
        case "hold":
            self = .complete(.hold(quantity: try quantity()))
        case "taylor":
            let order = try next("order from 1 to 4", 2) { Int($0).flatMap { (1...4).contains($0) ? $0 : nil } }
            // Of x0 in steps: measured best on the embedded model (50 DDIM steps, uniform plans at 0.5, 0.33 and 0.2).
            let quantity = try quantity(.clean)
            let names = ForecastVariable.allCases.map(\.rawValue).joined(separator: ", ")
            let variable = try next("variable (\(names))", .step, ForecastVariable.init)
            self = .complete(.taylor(order: order, quantity: quantity, variable: variable))
        case "hermite":
            let order = try next("order from 1 to 4", 2) { Int($0).flatMap { (1...4).contains($0) ? $0 : nil } }
            let scale = try next("scale above 0", 0.5) {
                Double($0).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
            }
            self = .complete(.hermite(order: order, scale: scale, quantity: try quantity()))
        default:
            guard let calibrated = CalibratedForecaster(rawValue: name) else {
                let known = ["hold", "taylor:1 to taylor:4", "hermite"] + CalibratedForecaster.allCases.map(\.rawValue)
                throw .invalidForecaster("--forecaster \(text): there are \(known.joined(separator: ", "))")
            }
            self = .calibrated(calibrated)
        }
        if let rest = parameters.first {
            throw .invalidForecaster("--forecaster \(text): '\(rest)' is one parameter too many")
        }
    }
}

/// What is to be reused, as it is asked for: every part optional but one that says how much.
public struct ReuseRequest: Equatable, Sendable {
    /// The share of evaluations to spend; nil where a mask says it.
    public var budget: Budget?
    /// Explicit decisions.
    public var mask: String?
    /// The planner; nil for the default, or where a mask stands in for it.
    public var planner: PlannerName?
    /// The forecaster; nil for the default.
    public var forecaster: ForecasterChoice?
    /// Where reuse is allowed.
    public var limits: ReuseLimits

    /// Joins the parts.
    public init(
        budget: Budget? = nil, mask: String? = nil, planner: PlannerName? = nil, forecaster: ForecasterChoice? = nil,
        limits: ReuseLimits = ReuseLimits()
    ) {
        self.budget = budget
        self.mask = mask
        self.planner = planner
        self.forecaster = forecaster
        self.limits = limits
    }
}
