import Sampling

/// The expected squared error of a plan's final image, from a calibration: the sum over its forecasts of the error that
/// each leaves in the output times what becomes of it.
///
/// A forecast's cost depends on which outputs it is made from, so a plan's cost depends on where its gaps are.
package final class PlanCost {
    let model: ForecastModel
    /// The squared weight of an error in the output at each call.
    private let weights: [Double]

    package init(_ calibration: Calibration, objective: PlanObjective, calls: [ModelCall]) {
        model = ForecastModel(calibration)
        weights = calls.indices.map { call in
            // An error of 1 in the quantity is one of this size in x0.
            let level = calls[call].level
            let sum = calibration.quantity.pathSum(of: calibration.predictionType, at: level)
            let clean = ForecastQuantity.clean.pathSum(of: calibration.predictionType, at: level)
            let perClean = abs(clean.direction) / abs(sum.direction)
            let gain = objective == .image ? calibration.stateGain[call] : 1
            let weight = abs(calibration.response.clean[call]) * perClean * gain
            return weight * weight
        }
    }

    /// What becomes of a unit of error in the output at `call`, squared.
    func weight(at call: Int) -> Double { weights[call] }

    /// The cost of the forecast at `call`; 0 where every branch is evaluated.
    func cost(at call: Int, conditional: [Bool], unconditional: [Bool]) -> Double {
        let isGuided = model.branches.contains(.unconditional)
        if conditional[call], !isGuided || unconditional[call] { return 0 }
        let c = Self.history(conditional, at: call, depth: ForecastModel.conditionalDepth)
        let u = isGuided ? Self.history(unconditional, at: call, depth: ForecastModel.unconditionalDepth) : .init([])
        return weights[call] * model.error(at: call, conditional: c, unconditional: u)
    }

    /// The cost of the forecast at `call` where both branches were last evaluated at `last` and `before`.
    func cost(at call: Int, last: Int, before: Int?) -> Double {
        let history = ForecastModel.History([last] + (before.map { [$0] } ?? []))
        return weights[call] * model.error(at: call, conditional: history, unconditional: history)
    }

    /// The cost of a whole plan.
    package func cost(of plan: ReusePlan) -> Double {
        let conditional = (0..<plan.calls).map { plan.isFull(.conditional, at: $0) }
        let unconditional = (0..<plan.calls).map { plan.isFull(.unconditional, at: $0) }
        return (0..<plan.calls).reduce(0) {
            $0 + cost(at: $1, conditional: conditional, unconditional: unconditional)
        }
    }

    /// The last calls, newest first, at which a branch is evaluated.
    private static func history(_ isFull: [Bool], at call: Int, depth: Int) -> ForecastModel.History {
        var found: (Int, Int, Int) = (-1, -1, -1)
        var count = 0
        var position = call
        while position >= 0, count < depth {
            if isFull[position] {
                if count == 0 {
                    found.0 = position
                } else if count == 1 {
                    found.1 = position
                } else {
                    found.2 = position
                }
                count += 1
            }
            position -= 1
        }
        return ForecastModel.History(found.0, found.1, found.2)
    }
}

/// What a plan is to be good for.
public enum PlanObjective: String, CaseIterable, Codable, Sendable {
    /// The distance to the uncached final image: errors count by what is left of them at the end.
    case image
    /// The deviation that is put into the path: errors count by how far they move the state.
    case path
}
