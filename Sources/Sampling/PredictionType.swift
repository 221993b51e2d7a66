/// What a diffusion model's output is an estimate of, for x = α x0 + σ ε.
public enum PredictionType: String, CaseIterable, Sendable {
    /// The noise ε.
    case epsilon
    /// The velocity α ε − σ x0 of Salimans & Ho (arXiv 2202.00512), appendix D.
    case vPrediction = "v"
    /// The clean sample x0.
    case sample
    /// The velocity of a flow, by the conventions of its ``Flow``: ε − x0 for rectified flow (arXiv 2209.03003). A
    /// network that gives x0 instead is read as one of the velocity, see ``Flow/Output``.
    case flow

    /// Reads this package's spelling or that of diffusers (`v_prediction`, `flow_prediction`).
    public init?(name: String) {
        switch name {
        case "v_prediction": self = .vPrediction
        case "flow_prediction": self = .flow
        default: self.init(rawValue: name)
        }
    }
}

extension PredictionType: Codable {
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let type = Self(name: name) else {
            throw SamplingError.invalidField(
                name: "prediction_type", found: name,
                expected: Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = type
    }
}

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

/// The estimates of x0, of ε and of the path's direction that a model output gives at one noise level.
extension PredictionType {
    /// The estimate of the clean sample x0.
    public func clean(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .epsilon: StateAndOutput(state: 1 / level.alpha, output: -level.sigma / level.alpha)
        case .vPrediction: StateAndOutput(state: level.alpha, output: -level.sigma)
        case .sample: StateAndOutput(state: 0, output: 1)
        case .flow: Self.solve(level, state: level.rates.sigma, velocity: -level.sigma)
        }
    }

    /// The estimate of the noise ε.
    public func epsilon(at level: NoiseLevel) -> StateAndOutput {
        switch self {
        case .epsilon: StateAndOutput(state: 0, output: 1)
        case .vPrediction: StateAndOutput(state: level.sigma, output: level.alpha)
        case .sample: StateAndOutput(state: 1 / level.sigma, output: -level.alpha / level.sigma)
        case .flow: Self.solve(level, state: -level.rates.alpha, velocity: level.alpha)
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
        case .vPrediction: StateAndOutput(state: 0, output: 1)
        case .epsilon, .sample: level.alpha * epsilon(at: level) + -level.sigma * clean(at: level)
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
