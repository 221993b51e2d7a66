/// Everything about a sampler but the step count and the model: one value that is stored, hashed and compared.
public struct SamplerOptions: Equatable, Sendable {
    /// The variance of the noise that ancestral sampling adds (``SamplerKind/ddpm``).
    public enum Variance: String, CaseIterable, Codable, Sendable {
        /// The variance of the true posterior given x0.
        case fixedSmall = "fixed_small"
        /// The beta of the step.
        case fixedLarge = "fixed_large"
        /// Between the two, as the model says (Nichol & Dhariwal, arXiv 2102.09672, eq. 15).
        case learnedRange = "learned_range"
    }

    /// Where the last step leads.
    public enum End: String, CaseIterable, Codable, Sendable {
        /// To no noise at all.
        case clean
        /// To the noise of training timestep 0 (diffusers: `set_alpha_to_one=False`, `final_sigmas_type="sigma_min"`).
        case firstTimestep = "first_timestep"
    }

    /// How ddim and ddpm go through their timesteps where these are irregular, or end above 0.
    public enum StepRule: String, CaseIterable, Codable, Sendable {
        /// From each timestep to the next, and from the last one to the end without noise, as in the official DiT: the
        /// state's noise and the model's timestep always agree.
        case list
        /// As in diffusers. `DDIMScheduler` steps from t to t − ⌊T/N⌋ whatever the next timestep is, and to the end where
        /// that is below 0; `DDPMScheduler` adds noise in the last step unless its timestep is 0. Both make a single step
        /// of linspace spacing from timestep 0.
        case diffusers
    }

    /// The sampler.
    public var kind: SamplerKind
    /// Which timesteps are visited.
    public var spacing: TimestepSpacing
    /// Added to every timestep of leading spacing.
    public var stepsOffset: Int
    /// The share of ancestral noise in a DDIM step: 0 is deterministic, 1 is ``SamplerKind/ddpm`` with `fixed_small`.
    public var eta: Double
    /// The estimate of x0 is clipped to ± this in every step; `nil` for no clipping. For ddim, ddpm and dpm++2m.
    public var clip: Double?
    /// The variance of ddpm's noise.
    public var variance: Variance
    /// Where the last step of a variance-preserving run leads.
    public var end: End
    /// How ddim and ddpm go through their timesteps.
    public var stepRule: StepRule
    /// Whether dpm++2m ends with a first-order step in runs of fewer than 15 steps. A step to no noise always is one.
    public var lowerOrderFinal: Bool
    /// How much noise the sde sampler adds over time.
    public var diffusionForm: DiffusionForm
    /// The magnitude of that noise.
    public var diffusionNorm: Double
    /// The sde sampler's last step.
    public var lastStep: LastStep
    /// The share of the time that the sde sampler's last step takes, between 0 and 1.
    public var lastStepSize: Double

    /// Options with the defaults of the references: no added noise, no clipping, a clean end.
    public init(
        _ kind: SamplerKind = .ddim, spacing: TimestepSpacing = .linspace, stepsOffset: Int = 0, eta: Double = 0,
        clip: Double? = nil, variance: Variance = .fixedSmall, end: End = .clean, stepRule: StepRule = .list,
        lowerOrderFinal: Bool = true, diffusionForm: DiffusionForm = .sigma, diffusionNorm: Double = 1,
        lastStep: LastStep = .mean, lastStepSize: Double = 0.04
    ) {
        self.kind = kind
        self.spacing = spacing
        self.stepsOffset = stepsOffset
        self.eta = eta
        self.clip = clip
        self.variance = variance
        self.end = end
        self.stepRule = stepRule
        self.lowerOrderFinal = lowerOrderFinal
        self.diffusionForm = diffusionForm
        self.diffusionNorm = diffusionNorm
        self.lastStep = lastStep
        self.lastStepSize = lastStepSize
    }

    /// What a model of this process is sampled with when nothing is asked for.
    ///
    /// DDIM for variance-preserving processes and Euler for flows, over linspace; for flows that look towards the data
    /// over trailing spacing, which for them is the official SiT's: even steps of time all the way.
    public init(defaultFor process: DiffusionProcess) {
        switch process.noising {
        case .variancePreserving: self.init(.ddim)
        case .flow(let flow): self.init(.euler, spacing: flow.direction == .toData ? .trailing : .linspace)
        }
    }

    /// Checks the options against each other and against the model.
    func validate(for process: DiffusionProcess) throws(SamplingError) {
        let type = process.predictionType
        guard kind.supports(type) else { throw .unsupportedPrediction(kind, type) }
        guard spacing.supports(type) else { throw .unsupportedSpacing(spacing, type) }
        guard eta.isFinite, (0...1).contains(eta) else {
            throw .invalidField(name: "eta", found: "\(eta)", expected: "a number from 0 to 1")
        }
        if let clip, !(clip.isFinite && clip > 0) {
            throw .invalidField(name: "clip", found: "\(clip)", expected: "a positive number")
        }
        guard stepsOffset == 0 || spacing == .leading else {
            throw .invalidField(
                name: "the steps offset", found: "\(stepsOffset)", expected: "0, unless the spacing is leading")
        }
        guard stepRule == .list || spacing != .respaced else {
            throw .invalidField(name: "spacing", found: spacing.rawValue, expected: "leading, trailing or linspace")
        }
        guard type != .flow || end == .clean else { throw .misplacedField(name: "end", predictionType: type) }
        guard diffusionNorm.isFinite, diffusionNorm >= 0 else {
            throw .invalidField(name: "diffusionNorm", found: "\(diffusionNorm)", expected: "a number from 0 up")
        }
        guard lastStepSize > 0, lastStepSize < 1 else {
            throw .invalidField(name: "lastStepSize", found: "\(lastStepSize)", expected: "a number between 0 and 1")
        }
        try refuseUnused()
    }

    /// Refuses what is set but belongs to another sampler.
    private func refuseUnused() throws(SamplingError) {
        let defaults = SamplerOptions(kind)
        let uses: [(String, isSet: Bool, by: [SamplerKind])] = [
            ("eta", eta != defaults.eta, [.ddim]),
            ("clip", clip != defaults.clip, [.ddim, .ddpm, .dpmSolver]),
            ("variance", variance != defaults.variance, [.ddpm]),
            ("end", end != defaults.end, [.ddim, .dpmSolver, .euler, .heun]),
            ("stepRule", stepRule != defaults.stepRule, [.ddim, .ddpm]),
            ("lowerOrderFinal", lowerOrderFinal != defaults.lowerOrderFinal, [.dpmSolver]),
            ("diffusionForm", diffusionForm != defaults.diffusionForm, [.sde]),
            ("diffusionNorm", diffusionNorm != defaults.diffusionNorm, [.sde]),
            ("lastStep", lastStep != defaults.lastStep, [.sde]),
            ("lastStepSize", lastStepSize != defaults.lastStepSize, [.sde]),
        ]
        for (name, isSet, kinds) in uses where isSet && !kinds.contains(kind) {
            throw .unusedOption(name: name, sampler: kind, usedBy: kinds)
        }
    }
}

extension SamplerOptions: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, spacing, stepsOffset, eta, clip, variance, end, stepRule, lowerOrderFinal
        case diffusionForm, diffusionNorm, lastStep, lastStepSize
    }

    /// Absent options take their defaults, so that a file written before an option existed still means the same.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let defaults = SamplerOptions()
        self.init(
            try values.decode(SamplerKind.self, forKey: .kind),
            spacing: try values.decodeIfPresent(TimestepSpacing.self, forKey: .spacing) ?? defaults.spacing,
            stepsOffset: try values.decodeIfPresent(Int.self, forKey: .stepsOffset) ?? defaults.stepsOffset,
            eta: try values.decodeIfPresent(Double.self, forKey: .eta) ?? defaults.eta,
            clip: try values.decodeIfPresent(Double.self, forKey: .clip) ?? defaults.clip,
            variance: try values.decodeIfPresent(Variance.self, forKey: .variance) ?? defaults.variance,
            end: try values.decodeIfPresent(End.self, forKey: .end) ?? defaults.end,
            stepRule: try values.decodeIfPresent(StepRule.self, forKey: .stepRule) ?? defaults.stepRule,
            lowerOrderFinal: try values.decodeIfPresent(Bool.self, forKey: .lowerOrderFinal)
                ?? defaults.lowerOrderFinal,
            diffusionForm: try values.decodeIfPresent(DiffusionForm.self, forKey: .diffusionForm)
                ?? defaults.diffusionForm,
            diffusionNorm: try values.decodeIfPresent(Double.self, forKey: .diffusionNorm) ?? defaults.diffusionNorm,
            lastStep: try values.decodeIfPresent(LastStep.self, forKey: .lastStep) ?? defaults.lastStep,
            lastStepSize: try values.decodeIfPresent(Double.self, forKey: .lastStepSize) ?? defaults.lastStepSize)
    }

    /// The sde sampler's options are written for it alone (or where they are set), and the step rule where it is not the
    /// default, so that other options are written, and hashed, as they were before these existed.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(spacing, forKey: .spacing)
        try values.encode(stepsOffset, forKey: .stepsOffset)
        try values.encode(eta, forKey: .eta)
        try values.encodeIfPresent(clip, forKey: .clip)
        try values.encode(variance, forKey: .variance)
        try values.encode(end, forKey: .end)
        if stepRule != .list { try values.encode(stepRule, forKey: .stepRule) }
        try values.encode(lowerOrderFinal, forKey: .lowerOrderFinal)

        let defaults = SamplerOptions()
        func encode<Value: Encodable & Equatable>(_ option: KeyPath<Self, Value>, _ key: CodingKeys) throws {
            guard kind == .sde || self[keyPath: option] != defaults[keyPath: option] else { return }
            try values.encode(self[keyPath: option], forKey: key)
        }
        try encode(\.diffusionForm, .diffusionForm)
        try encode(\.diffusionNorm, .diffusionNorm)
        try encode(\.lastStep, .lastStep)
        try encode(\.lastStepSize, .lastStepSize)
    }
}
