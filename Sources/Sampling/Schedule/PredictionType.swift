/// What a diffusion model's output is an estimate of, for x = α x0 + σ ε.
public enum PredictionType: String, CaseIterable, Sendable {
    /// The noise ε.
    case epsilon
    /// The velocity α ε − σ x0 of Salimans & Ho (arXiv 2202.00512), appendix D.
    case v
    /// The clean sample x0.
    case sample
    /// The velocity of a flow, by the conventions of its ``Flow``: ε − x0 for rectified flow (arXiv 2209.03003).
    case flow

    /// Reads our spelling or that of diffusers (`v_prediction`, `flow_prediction`).
    public init?(name: String) {
        switch name {
        case "v_prediction": self = .v
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
