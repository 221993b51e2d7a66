import Caching

/// A forecaster as it is asked for: complete by itself, or to be filled in from a calibration.
public enum ForecasterChoice: Equatable, Sendable {
    /// Needs no calibration.
    case complete(Forecaster)
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

    /// The names that there are.
    public static let names = Forecaster.usages.map(\.name) + CalibratedForecaster.allCases.map(\.rawValue)

    /// Reads a name with optional parameters: `hold`, `taylor:2`, `taylor:2:x0:step`, `hermite:2:0.5`, `steering`, …
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)``.
    public init(_ text: String) throws(PlanError) {
        if let calibrated = CalibratedForecaster(rawValue: text) {
            self = .calibrated(calibrated)
        } else if let forecaster = try Forecaster(text) {
            self = .complete(forecaster)
        } else {
            throw .invalidForecaster("--forecaster \(text): there are \(Self.names.joined(separator: ", "))")
        }
    }
}

/// What is to be reused, as it is asked for: every part optional but one that says how much.
public struct ReuseRequest: Equatable, Sendable {
    /// The share of evaluations to spend; nil where a mask says it.
    public var budget: Budget?
    /// Explicit decisions.
    public var mask: String?
    /// The planner; nil for the default, or with a mask.
    public var planner: PlannerKind?
    /// The forecaster; nil for the default.
    public var forecaster: ForecasterChoice?
    /// Where reuse is allowed.
    public var limits: ReuseLimits
    /// Whether the budget is a mean over images, of which each chooses between two plans.
    public var isOverBatch = false

    /// Joins the parts.
    public init(
        budget: Budget? = nil, mask: String? = nil, planner: PlannerKind? = nil, forecaster: ForecasterChoice? = nil,
        limits: ReuseLimits = ReuseLimits()
    ) {
        self.budget = budget
        self.mask = mask
        self.planner = planner
        self.forecaster = forecaster
        self.limits = limits
    }
}
