import Glibc
import Sampling

/// Full steps where each gap holds the same share of (closed-loop gain × second difference of the guided outputs)^p.
///
/// The power p is chosen by the expected error of the plan (``PlanCost``), so on the calibration's images; two calls at
/// either end are full where the budget allows it. Decides for both branches alike.
public struct BalancedPlanner: Planner {
    public var name: String { PlannerKind.balanced.rawValue }

    /// The powers that are tried; 0 is the uniform plan.
    static let powers = [0, 0.1, 0.2, 0.35, 0.5, 0.75, 1]

    private let calibration: Calibration

    /// A planner for runs like those of `calibration`.
    public init(calibration: Calibration) {
        self.calibration = calibration
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        let calls = request.calls.count
        try calibration.check(calls: calls, branches: request.branches)
        let rules = PlanRules(request)
        let count = try rules.fullCalls(for: request, planner: name)
        guard count < calls else { return .full(calls: calls, branches: request.branches) }
        let cost = PlanCost(calibration, objective: .image, calls: request.calls)
        let density = density(cost)
        var best: (plan: ReusePlan, cost: Double)?
        for power in Self.powers {
            let wanted = Self.places(count, density: density.map { pow($0, power) })
            guard let steps = rules.choose(count, values: wanted) else { continue }
            let plan = ReusePlan(steps: steps, branches: request.branches)
            let expected = cost.cost(of: plan)
            if expected < best?.cost ?? .infinity { best = (plan, expected) }
        }
        guard let best else {
            throw .budgetTooSmall(
                planner: name, smallest: (count + 1) * request.branches.count, total: calls * request.branches.count)
        }
        return best.plan
    }

    /// Gain × |e_{n+1} − 2 e_n + e_{n−1}| of each call; the ends take their neighbours' differences.
    private func density(_ cost: PlanCost) -> [Double] {
        let gram = calibration.gram
        let products = (0..<gram.bandCount).map { gram.products(of: .guided, band: $0) }
        let calls = gram.calls
        let differences = (0..<calls).map { call -> Double in
            let middle = min(max(call, 1), max(calls - 2, 1))
            guard middle + 1 < calls else { return 1 }
            let terms = [(middle - 1, 1.0), (middle, -2), (middle + 1, 1)]
            var energy = 0.0
            for product in products {
                for (i, a) in terms { for (j, b) in terms { energy += a * b * product[i, j] } }
            }
            return max(energy, 0).squareRoot()
        }
        let values = differences.indices.map { differences[$0] * cost.weight(at: $0).squareRoot() }
        let floor = (values.max() ?? 0) * 1e-6
        return values.map { max($0, floor, .leastNormalMagnitude) }
    }

    /// 1 for the calls where the integral of `density` passes the k-th of `count` equal shares, and for two calls at
    /// either end; 0 for the others.
    private static func places(_ count: Int, density: [Double]) -> [Double] {
        let calls = density.count
        var values = [Double](repeating: 0, count: calls)
        let ends = count >= 6 ? [0, 1, calls - 2, calls - 1] : count >= 2 ? [0, calls - 1] : [0]
        for call in ends { values[call] = 1 }
        let total = density.reduce(0, +)
        var (sum, next) = (0.0, 0)
        let inner = max(count - ends.count, 0)
        for call in 0..<calls {
            sum += density[call]
            // Shares that fall into one call, or onto an end, move on to the next free one.
            while next < inner, sum >= total * (Double(next) + 0.5) / Double(inner), values[call] == 0 {
                values[call] = 1
                next += 1
            }
        }
        return values
    }
}

extension PlannerKind {
    /// ``BalancedPlanner``.
    public static let balanced = PlannerKind("balanced", forecaster: .best) { BalancedPlanner(calibration: try $0()) }
}
