import Sampling

/// Continues the polynomial through the last order + 1 evaluated outputs.
///
/// The finite-difference form of a Taylor series (TaylorSeer, arXiv 2503.06923), on the model's output and not on every
/// block's; with Lagrange's weights it is exact for polynomials of that order wherever the full steps lie. While fewer
/// outputs exist, the order is lower.
public struct TaylorForecaster: Forecaster {
    /// The orders that there are.
    public static let orders = 1...4

    public let name = "taylor"
    public let quantity: ForecastQuantity
    public let bandCount = 1

    /// The order of the polynomial.
    public let order: Int
    /// The axis along which the polynomial runs.
    public let variable: ForecastVariable

    public var depth: Int { order + 1 }

    /// Where each call lies on the axis.
    private let positions: [Double]

    /// A forecaster of an order in ``orders`` for a run of `calls`.
    public init(order: Int, quantity: ForecastQuantity, variable: ForecastVariable, calls: [ModelCall]) {
        precondition(Self.orders.contains(order), "no Taylor forecast of order \(order)")
        self.order = order
        self.quantity = quantity
        self.variable = variable
        positions = calls.map { variable.position(of: $0) }
    }

    public func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        var nodes: [Int] = []
        // Two calls can see the same noise (Heun's), and then the newer one stands for both.
        for node in history.calls(of: branch) where nodes.allSatisfy({ positions[$0] != positions[node] }) {
            nodes.append(node)
        }
        return nodes.map { node in
            let weight = nodes.reduce(1.0) { product, other in
                guard other != node else { return product }
                return product * (positions[call] - positions[other]) / (positions[node] - positions[other])
            }
            return ForecastTerm(branch: branch, call: node, weight: weight)
        }
    }
}
