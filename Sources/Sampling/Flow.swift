import Compute

/// The conventions of a flow model: the path from noise to data, and the model's timesteps and outputs along it.
///
/// Samplers count time τ from 1, all noise, down to 0, all data. diffusers' flow models do so too; those of SiT
/// (arXiv 2401.08740, github.com/willisma/SiT) take t = 1 − τ and predict dx/dt.
public struct Flow: Equatable, Sendable {
    /// How sample and noise are mixed at time τ.
    public enum Path: String, CaseIterable, Sendable {
        /// α = 1 − τ, σ = τ, with τ moved towards noise by the shift.
        case linear
        /// α = cos(πτ/2), σ = sin(πτ/2): the generalised variance-preserving path, GVP, of SiT.
        case trigonometric
    }

    /// Which way the model's time runs and its output points.
    public enum Direction: String, CaseIterable, Sendable {
        /// The model takes τ and predicts dx/dτ.
        case toNoise = "to_noise"
        /// The model takes 1 − τ and predicts −dx/dτ.
        case toData = "to_data"
    }

    /// What the network's output is; samplers and caches are always given the velocity.
    public enum Output: Equatable, Sendable {
        /// The velocity itself.
        case velocity
        /// The clean sample x0. The velocity that follows from it, (x − x0)/τ on the linear path, is divided by no less
        /// than `floor`: near the data a small error of x0 would be a large one of the velocity. MiniT2I has 0.05.
        case sample(floor: Double)
    }

    public let path: Path

    /// Moves the times of a linear path towards noise: τ → shift τ / (1 + (shift − 1) τ) (arXiv 2403.03206, eq. 23).
    public let shift: Double

    /// Which way the model's time runs and its output points.
    public let direction: Direction

    /// The factor from the model's time to its timestep input; `nil` for the number of training timesteps.
    public let timestepScale: Double?

    /// What the network's output is.
    public let output: Output

    /// The standard deviation of the noise: σ is this times that of the path. MiniT2I has 2.
    public let noiseScale: Double

    /// A flow; without arguments, that of diffusers' `FlowMatchEulerDiscreteScheduler`.
    public init(
        path: Path = .linear, shift: Double = 1, direction: Direction = .toNoise, timestepScale: Double? = nil,
        output: Output = .velocity, noiseScale: Double = 1
    ) {
        self.path = path
        self.shift = shift
        self.direction = direction
        self.timestepScale = timestepScale
        self.output = output
        self.noiseScale = noiseScale
    }

    /// The timestep input at noise time `time` of a model that was trained on `trainTimesteps`.
    func timestep(at time: Double, trainTimesteps: Int) -> Double {
        let scale = timestepScale ?? Double(trainTimesteps)
        return (direction == .toNoise ? time : 1 - time) * scale
    }

    func validate() throws(SamplingError) {
        guard shift.isFinite, shift > 0 else {
            throw .invalidField(name: "shift", found: "\(shift)", expected: "a positive number")
        }
        guard path == .linear || shift == 1 else {
            throw .invalidField(name: "shift", found: "\(shift)", expected: "1, unless the flow_path is linear")
        }
        if let timestepScale, !(timestepScale.isFinite && timestepScale > 0) {
            throw .invalidField(name: "timestep_scale", found: "\(timestepScale)", expected: "a positive number")
        }
        guard noiseScale.isFinite, noiseScale > 0 else {
            throw .invalidField(name: "noise_scale", found: "\(noiseScale)", expected: "a positive number")
        }
        if case .sample(let floor) = output, !(0..<1).contains(floor) {
            throw .invalidField(name: "velocity_floor", found: "\(floor)", expected: "a number from 0 to below 1")
        }
    }
}

extension DiffusionProcess {
    /// What a run's initial noise, of unit variance, is multiplied by.
    public var initialNoiseScale: Double {
        if case .flow(let flow) = noising { flow.noiseScale } else { 1 }
    }

    /// Turns the output of a network, in place, into that of this process's ``predictionType``.
    ///
    /// Only a flow whose network gives x0 has something to turn: by x = α x0 + σ ε its velocity is
    /// α' x0 + σ' ε = (σ' x − (α σ' − σ α') x0) / σ, with the path's σ, noise scale aside, not below the floor.
    ///
    /// - Parameters:
    ///   - output: what the network gave.
    ///   - latents: the state x that it was given.
    ///   - level: the noise level of x.
    public func convert(_ output: Tensor, of latents: Tensor, at level: NoiseLevel) {
        guard case .flow(let flow) = noising, case .sample(let floor) = flow.output else { return }
        let rates = level.rates
        let factor = rates.outputSign / max(level.sigma, floor * flow.noiseScale)
        let sum = StateAndOutput(state: factor * rates.sigma, output: -factor * rates.determinant)
        StepKernels.combine(latents, sum, output, into: output)
    }
}
