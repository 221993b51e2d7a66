/// The parameters of a forecaster on the command line, `2:x0:step` of `taylor:2:x0:step`, read from left to right.
public struct ForecastParameters {
    fileprivate let text: String
    fileprivate var rest: ArraySlice<Substring>

    /// The next parameter; `fallback` where there is none.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)`` when `read` returns nil.
    mutating func next<Value>(
        _ what: String, _ fallback: Value, _ read: (String) -> Value?
    ) throws(PlanError) -> Value {
        guard let parameter = rest.popFirst() else { return fallback }
        guard let value = read(String(parameter)) else {
            throw .invalidForecaster("--forecaster \(text): '\(parameter)' is no \(what)")
        }
        return value
    }

    /// The next parameter as one of a few names.
    mutating func next<Value: CaseIterable & RawRepresentable<String>>(
        _ what: String, _ fallback: Value
    ) throws(PlanError) -> Value {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return try next("\(what) (\(names))", fallback, Value.init)
    }

    /// The next parameter as an order of a forecast.
    mutating func order() throws(PlanError) -> Int {
        let orders = Forecaster.orders
        return try next("order from \(orders.lowerBound) to \(orders.upperBound)", 2) {
            Int($0).flatMap { orders.contains($0) ? $0 : nil }
        }
    }
}

extension Forecaster {
    /// Reads a name with optional parameters, such as `hold`, `taylor:2`, `taylor:2:x0:step` or `hermite:2:0.5`.
    ///
    /// - Returns: nil if no forecaster of this name is complete without a calibration.
    /// - Throws: ``PlanError/invalidForecaster(_:)`` when a parameter makes no sense.
    public init?(_ text: String) throws(PlanError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let rule = Self.rules.first(where: { $0.kinds.contains(String(parts[0])) }) else { return nil }
        var parameters = ForecastParameters(text: text, rest: parts.dropFirst())
        guard let forecaster = try rule.read(&parameters) else { return nil }
        if let extra = parameters.rest.first {
            throw .invalidForecaster("--forecaster \(text): '\(extra)' is one parameter too many")
        }
        self = forecaster
    }

    /// The names of those that are complete without a calibration, each with the parameters that may follow it.
    public static var usages: [(name: String, parameters: String)] {
        rules.compactMap { rule in rule.parameters.map { (rule.kinds[0], $0) } }
    }
}
