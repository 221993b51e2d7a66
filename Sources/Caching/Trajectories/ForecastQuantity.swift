import Sampling

/// What a forecaster extrapolates. Each can be computed from any other and the state; they differ in how smoothly they
/// run along the path.
public enum ForecastQuantity: String, CaseIterable, Codable, Sendable {
    /// dz/ds, the direction of the path: the noise ε, or the velocity of a flow.
    case direction = "epsilon"
    /// The estimate of the clean sample x0.
    case clean = "x0"
    /// The velocity α ε − σ x0.
    case velocity = "v"

    /// The quantity as a sum of the state x and the output of a model of type `type`; the weight of the output is not 0.
    public func sum(of type: PredictionType, at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .direction: type.direction(at: level)
        case .clean: type.clean(at: level)
        case .velocity: type.velocity(at: level)
        }
    }
}

extension ForecastQuantity {
    /// The quantity as a sum of the path coordinate z and the direction e = dz/ds; the weight of the direction is not 0.
    ///
    /// x0 = z − s e, for diffusions and for flows on the linear path.
    func pathSum(of type: PredictionType, at level: NoiseLevel) -> (state: Double, direction: Double) {
        let s = level.pathPosition
        return switch self {
        case .direction: (0, 1)
        case .clean where type == .flow: Self.cleanSum(at: level)
        case .clean: (1, -s)
        case .velocity where type == .flow: (0, 1)
        case .velocity: (-level.sigma, level.alpha + level.sigma * s)
        }
    }

    /// x0 of a flow, where z is x and the direction is the output or its negative.
    private static func cleanSum(at level: NoiseLevel) -> (state: Double, direction: Double) {
        let clean = PredictionType.flow.clean(at: level)
        return (clean.state, clean.output / PredictionType.flow.direction(at: level).output)
    }
}
