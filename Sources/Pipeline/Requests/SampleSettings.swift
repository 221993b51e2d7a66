import Sampling

/// What all images of a request share.
public struct SampleSettings: Codable, Equatable, Sendable {
    /// The number of steps.
    public var steps: Int
    /// The sampler with all its options.
    public var sampler: SamplerOptions
    /// The scale of classifier-free guidance; 1 is unguided.
    public var guidanceScale: Double

    /// Joins the settings; they are checked against a model when it is opened.
    public init(steps: Int, sampler: SamplerOptions, guidanceScale: Double) {
        self.steps = steps
        self.sampler = sampler
        self.guidanceScale = guidanceScale
    }
}

/// One image of a request.
public struct SampleItem: Codable, Equatable, Sendable {
    /// The class.
    public let classID: Int
    /// The seed of its own generator.
    public let seed: UInt32

    /// Joins a class and a seed.
    public init(classID: Int, seed: UInt32) {
        self.classID = classID
        self.seed = seed
    }

    private enum CodingKeys: String, CodingKey {
        case classID = "class"
        case seed
    }
}
