import Sampling

/// A Taylor forecast in steps whose powers are replaced by scaled Hermite polynomials (HiCache, arXiv 2508.16984).
///
/// e~ = Σ f⁽ⁱ⁾/i! · sⁱ Hᵢ(s k), k steps past the last full one, with the finite differences f⁽ⁱ⁾ of the full steps. H are
/// the physicists' polynomials, as in HiCache (H₁(x) = 2 x): s = 1/√2 then gives the linear term of a Taylor forecast,
/// and HiCache's s = 0.5 half of it.
public struct HermiteForecaster: Forecaster {
    /// The orders that there are.
    public static let orders = 1...4

    public let name = "hermite"
    public let quantity: ForecastQuantity
    public let bandCount = 1

    /// The order of the highest difference.
    public let order: Int
    /// s, which contracts both the argument and the value of the polynomials.
    public let scale: Double

    public var depth: Int { order + 1 }

    /// A forecaster of an order in ``orders`` with a finite scale above 0.
    public init(order: Int = 2, scale: Double = 0.5, quantity: ForecastQuantity = .direction) {
        precondition(Self.orders.contains(order), "no Hermite forecast of order \(order)")
        precondition(scale.isFinite && scale > 0, "a scale of \(scale)")
        self.order = order
        self.scale = scale
        self.quantity = quantity
    }

    public func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        let nodes = history.calls(of: branch)
        // differences[j] holds, as weights of the nodes, the i-th derivative at node j; node 0 is the newest.
        var differences = nodes.indices.map { node in nodes.indices.map { $0 == node ? 1.0 : 0 } }
        var weights = [Double](repeating: 0, count: nodes.count)
        var factorial = 1.0
        for i in nodes.indices {
            let factor = scaledHermite(i, Double(call - nodes[0])) / factorial
            for n in nodes.indices { weights[n] += factor * differences[0][n] }
            factorial *= Double(i + 1)
            differences = (0..<differences.count - 1).map { j in
                let distance = Double(nodes[j] - nodes[j + 1])
                return zip(differences[j], differences[j + 1]).map { ($0 - $1) / distance }
            }
        }
        return zip(nodes, weights).map { ForecastTerm(branch: branch, call: $0, weight: $1) }
    }

    /// sⁱ Hᵢ(s x), by the recurrence H_{i+1}(y) = 2 y H_i(y) − 2 i H_{i−1}(y).
    private func scaledHermite(_ i: Int, _ x: Double) -> Double {
        var (previous, current) = (0.0, 1.0)
        for n in 0..<i {
            // Both sides times s^(n+1).
            (previous, current) = (current, scale * scale * 2 * (x * current - Double(n) * previous))
        }
        return current
    }
}
