/// A weighted sum of the state x and the model's output: state · x + output · y.
public struct StateAndOutput: Equatable, Sendable {
    /// The weight of the state x.
    public var state: Double
    /// The weight of the output y.
    public var output: Double

    /// state · x + output · y.
    public init(state: Double, output: Double) {
        self.state = state
        self.output = output
    }

    static func + (a: Self, b: Self) -> Self { Self(state: a.state + b.state, output: a.output + b.output) }
    static func * (factor: Double, sum: Self) -> Self {
        Self(state: factor * sum.state, output: factor * sum.output)
    }

    /// x itself.
    static let state = Self(state: 1, output: 0)
}

/// What a model output says about x0, about ε, and about the direction of the path, at one noise level.
extension PredictionType {
    /// The estimate of the clean sample x0.
    public func clean(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .epsilon: StateAndOutput(state: 1 / level.signal, output: -level.noise / level.signal)
        case .v: StateAndOutput(state: level.signal, output: -level.noise)
        case .sample: StateAndOutput(state: 0, output: 1)
        case .flow: StateAndOutput(state: 1, output: -level.noise)
        }
    }

    /// The estimate of the noise ε.
    public func epsilon(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .epsilon: StateAndOutput(state: 0, output: 1)
        case .v: StateAndOutput(state: level.noise, output: level.signal)
        case .sample: StateAndOutput(state: 1 / level.noise, output: -level.signal / level.noise)
        case .flow: StateAndOutput(state: 1, output: level.signal)
        }
    }

    /// dz/ds along the path: ε, or the velocity of a flow.
    public func direction(at level: NoiseLevel) -> StateAndOutput {
        self == .flow ? StateAndOutput(state: 0, output: 1) : epsilon(at: level)
    }

    /// The velocity α ε − σ x0, or that of a flow: ε − x0.
    public func velocity(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .flow, .v: StateAndOutput(state: 0, output: 1)
        case .epsilon, .sample: level.signal * epsilon(at: level) + -level.noise * clean(at: level)
        }
    }
}
