import Glibc

/// The noising process that a model was trained to reverse, and what the model predicts.
///
/// Encoded as the fields of a model's `config.json`: `prediction_type`, `num_train_timesteps`, then either
/// `beta_schedule`, `beta_start`, `beta_end` and `trained_betas`, or, for flow models, `flow_path`, `shift`,
/// `flow_direction`, `timestep_scale`, `flow_output`, `velocity_floor` and `noise_scale`.
public struct DiffusionProcess: Equatable, Sendable {
    /// The two families of processes x = α x0 + σ ε.
    public enum Noising: Equatable, Sendable {
        /// α² + σ² = 1, with α² the running product of 1 − beta.
        case variancePreserving(BetaSchedule)
        /// A path from all noise to all data.
        case flow(Flow)
    }

    /// What the model's output estimates; `flow` exactly when ``noising`` is a flow.
    public let predictionType: PredictionType

    /// How many timesteps the model was trained on; by default a flow's timestep is its time times this.
    public let trainTimesteps: Int

    /// How noise and sample are mixed.
    public let noising: Noising

    /// A variance-preserving process.
    ///
    /// - Throws: ``SamplingError/invalidField(name:found:expected:)`` if the betas are not all between 0 and 1, if
    ///   there are not as many trained betas as timesteps, or if the prediction type is `flow`.
    public init(_ predictionType: PredictionType, betas: BetaSchedule, trainTimesteps: Int = 1000) throws {
        self.predictionType = predictionType
        self.trainTimesteps = trainTimesteps
        self.noising = .variancePreserving(betas)
        try validate()
    }

    /// A flow-matching process.
    ///
    /// - Throws: ``SamplingError/invalidField(name:found:expected:)`` if the shift or the scale is not positive and
    ///   finite, or if a path other than the linear one is shifted.
    public init(_ flow: Flow, trainTimesteps: Int = 1000) throws {
        self.predictionType = .flow
        self.trainTimesteps = trainTimesteps
        self.noising = .flow(flow)
        try validate()
    }

    private func validate() throws(SamplingError) {
        guard (1...Self.mostTimesteps).contains(trainTimesteps) else {
            throw .invalidField(
                name: "num_train_timesteps", found: "\(trainTimesteps)", expected: "1 to \(Self.mostTimesteps)")
        }
        switch noising {
        case .flow(let flow):
            try flow.validate()
        case .variancePreserving(let schedule):
            guard predictionType != .flow else {
                throw .invalidField(
                    name: "prediction_type", found: "flow", expected: "epsilon, v or sample for a model with betas")
            }
            try validate(schedule)
        }
    }

    private func validate(_ schedule: BetaSchedule) throws(SamplingError) {
        switch schedule {
        case .linear(let start, let end), .scaledLinear(let start, let end):
            for (name, beta) in [("beta_start", start), ("beta_end", end)] where !(beta > 0 && beta < 1) {
                throw .invalidField(name: name, found: "\(beta)", expected: "a number between 0 and 1")
            }
        case .squaredCosine:
            break
        case .trained(let betas):
            guard betas.count == trainTimesteps else {
                throw .invalidField(
                    name: "trained_betas", found: "\(betas.count) numbers",
                    expected: "num_train_timesteps = \(trainTimesteps) of them")
            }
            if let index = betas.firstIndex(where: { !($0 > 0 && $0 < 1) }) {
                throw .invalidField(
                    name: "trained_betas[\(index)]", found: "\(betas[index])", expected: "a number between 0 and 1")
            }
        }
    }

    /// More timesteps than any published model has by far; keeps tables small whatever a file says.
    private static let mostTimesteps = 1_000_000
}

extension DiffusionProcess: Encodable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case predictionType = "prediction_type"
        case trainTimesteps = "num_train_timesteps"
        case betaSchedule = "beta_schedule"
        case betaStart = "beta_start"
        case betaEnd = "beta_end"
        case trainedBetas = "trained_betas"
        case shift
        case flowPath = "flow_path"
        case flowDirection = "flow_direction"
        case timestepScale = "timestep_scale"
        case flowOutput = "flow_output"
        case velocityFloor = "velocity_floor"
        case noiseScale = "noise_scale"
    }

    /// The names of the beta schedules, as in diffusers.
    private enum ScheduleName: String, CaseIterable {
        case linear
        case scaledLinear = "scaled_linear"
        case squaredCosine = "squaredcos_cap_v2"
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(predictionType, forKey: .predictionType)
        try fields.encode(trainTimesteps, forKey: .trainTimesteps)
        switch noising {
        case .flow(let flow):
            // The shift is always written and the rest only where it is not the default, so that older processes are
            // written, and hashed, as they were before the other keys existed.
            let defaults = Flow()
            if flow.path == .linear { try fields.encode(flow.shift, forKey: .shift) }
            if flow.path != defaults.path { try fields.encode(flow.path.rawValue, forKey: .flowPath) }
            if flow.direction != defaults.direction {
                try fields.encode(flow.direction.rawValue, forKey: .flowDirection)
            }
            try fields.encodeIfPresent(flow.timestepScale, forKey: .timestepScale)
            if case .sample(let floor) = flow.output {
                try fields.encode(PredictionType.sample.rawValue, forKey: .flowOutput)
                try fields.encode(floor, forKey: .velocityFloor)
            }
            if flow.noiseScale != defaults.noiseScale { try fields.encode(flow.noiseScale, forKey: .noiseScale) }
        case .variancePreserving(.linear(let start, let end)):
            try fields.encode(ScheduleName.linear.rawValue, forKey: .betaSchedule)
            try fields.encode(start, forKey: .betaStart)
            try fields.encode(end, forKey: .betaEnd)
        case .variancePreserving(.scaledLinear(let start, let end)):
            try fields.encode(ScheduleName.scaledLinear.rawValue, forKey: .betaSchedule)
            try fields.encode(start, forKey: .betaStart)
            try fields.encode(end, forKey: .betaEnd)
        case .variancePreserving(.squaredCosine):
            try fields.encode(ScheduleName.squaredCosine.rawValue, forKey: .betaSchedule)
        case .variancePreserving(.trained(let betas)):
            try fields.encode(betas, forKey: .trainedBetas)
        }
    }
}

/// How much noise each training timestep of a variance-preserving process adds: the betas, in Double.
public enum BetaSchedule: Equatable, Sendable {
    /// Equal steps from `start` to `end` (Ho et al., arXiv 2006.11239).
    case linear(start: Double, end: Double)
    /// Equal steps of the square root, as in latent diffusion (arXiv 2112.10752).
    case scaledLinear(start: Double, end: Double)
    /// The cosine schedule of Nichol & Dhariwal (arXiv 2102.09672), eq. 17, each beta at most 0.999.
    case squaredCosine
    /// The betas themselves, one per training timestep.
    case trained([Double])

    /// The betas of timesteps 0 ..< `count`.
    public func betas(count: Int) -> [Double] {
        switch self {
        case .linear(let start, let end):
            return Self.evenlySpaced(from: start, to: end, count: count)
        case .scaledLinear(let start, let end):
            return Self.evenlySpaced(from: start.squareRoot(), to: end.squareRoot(), count: count).map { $0 * $0 }
        case .squaredCosine:
            return (0..<count).map { index in
                let here = Self.cosineAlphaBar(at: Double(index) / Double(count))
                let next = Self.cosineAlphaBar(at: Double(index + 1) / Double(count))
                return min(1 - next / here, 0.999)
            }
        case .trained(let betas):
            return betas
        }
    }

    private static func evenlySpaced(from start: Double, to end: Double, count: Int) -> [Double] {
        guard count > 1 else { return Array(repeating: start, count: count) }
        return (0..<count).map { start + (end - start) * Double($0) / Double(count - 1) }
    }

    private static func cosineAlphaBar(at time: Double) -> Double {
        let cosine = cos((time + 0.008) / 1.008 * .pi / 2)
        return cosine * cosine
    }
}
