/// What a requested forward took.
public struct ForwardAnswer: Codable, Equatable, Sendable {
    /// The time of the forward, in seconds.
    ///
    /// It holds the modulation of a whole window of calls where the call's window is not the last request's.
    public let seconds: Double
    /// What the model was told at this call.
    public let timestep: Double
}
