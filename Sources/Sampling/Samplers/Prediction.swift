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
        case .flow: Self.solve(level, state: level.rates.noise, velocity: -level.noise)
        }
    }

    /// The estimate of the noise ε.
    public func epsilon(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .epsilon: StateAndOutput(state: 0, output: 1)
        case .v: StateAndOutput(state: level.noise, output: level.signal)
        case .sample: StateAndOutput(state: 1 / level.noise, output: -level.signal / level.noise)
        case .flow: Self.solve(level, state: -level.rates.signal, velocity: level.signal)
        }
    }

    /// dz/ds along the path: ε, or the velocity of a flow towards noise, dx/dτ.
    public func direction(at level: NoiseLevel) -> StateAndOutput {
        self == .flow ? StateAndOutput(state: 0, output: level.rates.outputSign) : epsilon(at: level)
    }

    /// The velocity α ε − σ x0, or that of a flow towards noise, dx/dτ: on the linear path ε − x0.
    public func velocity(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .flow: direction(at: level)
        case .v: StateAndOutput(state: 0, output: 1)
        case .epsilon, .sample: level.signal * epsilon(at: level) + -level.noise * clean(at: level)
        }
    }
    /// (state · x + velocity · dx/dτ) / (α σ' − σ α'), with the velocity in terms of a flow model's output.
    ///
    /// x0 and ε are of this form, by Cramer's rule on x = α x0 + σ ε and dx/dτ = α' x0 + σ' ε.
    private static func solve(_ level: NoiseLevel, state: Double, velocity: Double) -> StateAndOutput {
        let rates = level.rates
        return StateAndOutput(
            state: state / rates.determinant, output: rates.outputSign * velocity / rates.determinant)
    }
}
