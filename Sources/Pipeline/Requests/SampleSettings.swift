import Sampling

/// What all images of a request share.
public struct SampleSettings: Codable, Equatable, Sendable {
    /// The number of steps.
    public var steps: Int
    /// The sampler with all its options.
    public var sampler: SamplerOptions
    /// The scale of classifier-free guidance; 1 is unguided.
    public var guidanceScale: Double
    /// How many channels are guided, the first ones; nil for all.
    public var guidedChannels: Int?

    /// Joins the settings; they are checked against a model when it is opened.
    public init(steps: Int, sampler: SamplerOptions, guidanceScale: Double, guidedChannels: Int? = nil) {
        self.steps = steps
        self.sampler = sampler
        self.guidanceScale = guidanceScale
        self.guidedChannels = guidedChannels
    }

    /// How the branches' outputs become one.
    ///
    /// - Throws: ``SamplingError`` when scale or channels make no sense.
    public var guidance: Guidance {
        get throws(SamplingError) { try Guidance(scale: guidanceScale, channels: guidedChannels) }
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
