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

    public let path: Path

    /// Moves the times of a linear path towards noise: τ → shift τ / (1 + (shift − 1) τ) (arXiv 2403.03206, eq. 23).
    public let shift: Double

    /// Which way the model's time runs and its output points.
    public let direction: Direction

    /// The factor from the model's time to its timestep input; `nil` for the number of training timesteps.
    public let timestepScale: Double?

    /// A flow; without arguments, that of diffusers' `FlowMatchEulerDiscreteScheduler`.
    public init(
        path: Path = .linear, shift: Double = 1, direction: Direction = .toNoise, timestepScale: Double? = nil
    ) {
        self.path = path
        self.shift = shift
        self.direction = direction
        self.timestepScale = timestepScale
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
    }
}
