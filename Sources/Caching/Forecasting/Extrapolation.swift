import Glibc
import Sampling

/// Repeats the last evaluated output: what caches do that only reuse.
public struct HoldRule: ForecastRule {
    public static let kinds = ["hold"]
    public static let parameters: String? = "QUANTITY"

    public var depth: Int { 1 }

    public static func read(_ parameters: inout ForecastParameters) throws(PlanError) -> Forecaster? {
        .hold(quantity: try parameters.next("quantity", .direction))
    }

    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        [ForecastTerm(branch: branch, call: history.newest(of: branch), weight: 1)]
    }
}

/// Continues the polynomial through the last order + 1 evaluated outputs.
///
/// The finite-difference form of a Taylor series (TaylorSeer, arXiv 2503.06923), on the model's output and not on every
/// block's; with Lagrange's weights it is exact for polynomials of that order wherever the full steps lie. While fewer
/// outputs exist, the order is lower.
public struct TaylorRule: ForecastRule {
    public static let kinds = ["taylor"]
    public static let parameters: String? = "ORDER:QUANTITY:VARIABLE"

    /// The order of the polynomial.
    public let order: Int
    /// The axis along which the polynomial runs.
    public let variable: ForecastVariable

    public var name: String { "\(kind):\(order)" }
    public var depth: Int { order + 1 }

    public static func read(_ parameters: inout ForecastParameters) throws(PlanError) -> Forecaster? {
        // Of x0 in steps: measured best on the embedded model (50 DDIM steps, uniform plans at 0.5, 0.33 and 0.2).
        .taylor(
            order: try parameters.order(), quantity: try parameters.next("quantity", .clean),
            variable: try parameters.next("variable", .step))
    }

    public func validate() throws(PlanError) {
        guard Forecaster.orders.contains(order) else { throw .order(of: self, order) }
    }

    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        func position(_ call: Int) -> Double { variable.position(of: calls[call]) }
        var nodes: [(call: Int, position: Double)] = []
        // Two calls can see the same noise (Heun's), and then the newer one counts for both.
        for node in history.calls(of: branch) where nodes.allSatisfy({ $0.position != position(node) }) {
            nodes.append((node, position(node)))
        }
        return nodes.map { node in
            let weight = nodes.reduce(1.0) { product, other in
                guard other.call != node.call else { return product }
                return product * (position(call) - other.position) / (node.position - other.position)
            }
            return ForecastTerm(branch: branch, call: node.call, weight: weight)
        }
    }
}

/// A Taylor forecast in steps whose powers are replaced by scaled Hermite polynomials (HiCache, arXiv 2508.16984).
///
/// e~ = Σ f⁽ⁱ⁾ · sⁱ Hᵢ(s k)/i!, k steps past the last full one, with the finite differences f⁽ⁱ⁾ of the full steps. H are
/// the physicists' polynomials, as in HiCache (H₁(x) = 2 x): s = 1/√2 then gives the linear term of a Taylor forecast,
/// and HiCache's s = 0.5 half of it.
public struct HermiteRule: ForecastRule {
    public static let kinds = ["hermite"]
    public static let parameters: String? = "ORDER:SCALE:QUANTITY"

    /// The order of the highest difference.
    public let order: Int
    /// s, which contracts both the argument and the value of the polynomials.
    public let scale: Double

    public var name: String { "\(kind):\(order)" }
    public var depth: Int { order + 1 }

    public static func read(_ parameters: inout ForecastParameters) throws(PlanError) -> Forecaster? {
        let order = try parameters.order()
        let scale = try parameters.next("scale above 0", 0.5) {
            Double($0).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
        }
        return .hermite(order: order, scale: scale, quantity: try parameters.next("quantity", .direction))
    }

    public func validate() throws(PlanError) {
        guard Forecaster.orders.contains(order) else { throw .order(of: self, order) }
        guard scale.isFinite, scale > 0 else {
            throw .invalidForecaster("hermite of scale \(scale): give a number above 0, such as 0.5")
        }
    }

    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        let nodes = history.calls(of: branch)
        let factors = FeatureBasis.hermite(scale: scale)
            .weights(ahead: Double(call - history.newest(of: branch)), order: nodes.count - 1)
        // differences[j] holds, as weights of the nodes, the i-th derivative at node j; node 0 is the newest.
        var differences = nodes.indices.map { node in nodes.indices.map { $0 == node ? 1.0 : 0 } }
        var weights = [Double](repeating: 0, count: nodes.count)
        for factor in factors {
            for n in nodes.indices { weights[n] += factor * differences[0][n] }
            differences = (0..<differences.count - 1).map { j in
                let distance = Double(nodes[j] - nodes[j + 1])
                return zip(differences[j], differences[j + 1]).map { ($0 - $1) / distance }
            }
        }
        return zip(nodes, weights).map { ForecastTerm(branch: branch, call: $0, weight: $1) }
    }
}

/// What the finite differences of a feature are multiplied by when it is carried k calls ahead.
public enum FeatureBasis: Equatable, Sendable {
    /// kⁱ/i!: TaylorSeer (Liu et al., arXiv 2503.06923, equation 6).
    case taylor
    /// sⁱ Hᵢ(s k)/i! with the physicists' Hermite polynomials: HiCache (Feng et al., arXiv 2508.16984).
    case hermite(scale: Double)

    /// The weights of the differences of order 0 up to `order`.
    public func weights(ahead k: Double, order: Int) -> [Double] {
        var (previous, current, factorial) = (0.0, 1.0, 1.0)
        return (0...order).map { i in
            let weight = current / factorial
            switch self {
            case .taylor:
                current *= k
            case .hermite(let s):
                // H_{i+1}(y) = 2 y H_i(y) − 2 i H_{i−1}(y) with y = s k, both sides times s^(i+1).
                (previous, current) = (current, s * s * 2 * (k * current - Double(i) * previous))
            }
            factorial *= Double(i + 1)
            return weight
        }
    }
}

/// The axis along which differences are taken.
public enum ForecastVariable: String, CaseIterable, Codable, Sendable {
    /// The index of the model call.
    case step
    /// The timestep that the model is given.
    case timestep
    /// The logarithm of the path coordinate s; where noise is added to a picture of variance 1, half the log-SNR, negated.
    case logSNR = "log-snr"

    /// Where `call` lies on the axis.
    public func position(of call: ModelCall) -> Double {
        switch self {
        case .step: Double(call.index)
        case .timestep: call.timestep
        case .logSNR: log(call.level.pathPosition)
        }
    }
}

extension Forecaster {
    /// The orders of Taylor and Hermite forecasts.
    public static let orders = 1...4

    /// ``HoldRule``; which quantity is held matters, since they differ by the state, which moves on.
    public static func hold(quantity: ForecastQuantity = .direction) -> Forecaster {
        Forecaster(HoldRule(), of: quantity)
    }

    /// ``TaylorRule`` of an order in ``orders``.
    public static func taylor(order: Int, quantity: ForecastQuantity, variable: ForecastVariable) -> Forecaster {
        Forecaster(TaylorRule(order: order, variable: variable), of: quantity)
    }

    /// ``HermiteRule`` of an order in ``orders``, with a finite scale above 0.
    public static func hermite(
        order: Int = 2, scale: Double = 0.5, quantity: ForecastQuantity = .direction
    ) -> Forecaster {
        Forecaster(HermiteRule(order: order, scale: scale), of: quantity)
    }
}

extension OutputHistory {
    /// The last call at which `branch` was evaluated.
    func newest(of branch: GuidanceBranches) -> Int {
        guard let newest = calls(of: branch).first else { preconditionFailure("nothing has been evaluated yet") }
        return newest
    }
}

extension PlanError {
    fileprivate static func order(of rule: some ForecastRule, _ order: Int) -> PlanError {
        .invalidForecaster("\(rule.kind) of order \(order): there are orders 1 to 4")
    }
}
