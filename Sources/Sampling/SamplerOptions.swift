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

    /// The noise level at which a run ends.
    public enum End: String, CaseIterable, Codable, Sendable {
        /// No noise at all.
        case clean
        /// The noise of training timestep 0 (diffusers: `set_alpha_to_one=False`, `final_sigmas_type="sigma_min"`).
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

    public var kind: SamplerKind
    public var spacing: TimestepSpacing
    /// Added to every timestep of leading spacing.
    public var stepsOffset: Int
    /// The share of ancestral noise in a DDIM step: 0 is deterministic, 1 is ``SamplerKind/ddpm`` with `fixed_small`.
    public var eta: Double
    /// The estimate of x0 is clipped to ± this in every step; `nil` for no clipping. For ddim, ddpm and dpm++2m.
    public var clip: Double?
    /// The variance of ddpm's noise.
    public var variance: Variance
    /// The noise level at which a variance-preserving run ends.
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

    /// The sampler of a model of this process where none is asked for.
    ///
    /// DDIM for variance-preserving processes and Euler for flows, over linspace; for flows towards the data over
    /// trailing spacing, which for them is the official SiT's: even steps of time all the way.
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
            throw .invalidField(name: "the diffusion norm", found: "\(diffusionNorm)", expected: "a number from 0 up")
        }
        guard lastStepSize > 0, lastStepSize < 1 else {
            throw .invalidField(
                name: "the last step size", found: "\(lastStepSize)", expected: "a number between 0 and 1")
        }
        for option in Self.table where option.isSet(self) && !option.kinds.contains(kind) {
            throw .unusedOption(name: option.key.rawValue, sampler: kind, usedBy: option.kinds)
        }
    }
}

/// How much noise ``SamplerKind/sde`` adds, and takes away again by the score, as time goes on: w.
///
/// The forms of SiT (arXiv 2401.08740; github.com/willisma/SiT, transport/path.py), with c the norm and
/// t = 1 − τ the time towards the data. In the limit of small steps all of them end in the same distribution.
public enum DiffusionForm: String, CaseIterable, Codable, Sendable {
    /// c.
    case constant
    /// c (α̇/α σ² − σ̇ σ), that of score-based diffusion models; infinite where α = 0.
    case scoreBased = "sbdm"
    /// c σ.
    case sigma
    /// c (1 − t).
    case linear
    /// (c cos(πt) + 1)²/4.
    case decreasing
    /// c sin²(πt).
    case increasingDecreasing = "increasing-decreasing"
}

/// The last step of ``SamplerKind/sde``, which adds no noise.
public enum LastStep: String, CaseIterable, Codable, Sendable {
    /// The mean of one more step of the stochastic equation.
    case mean
    /// The estimate of x0 (Tweedie's formula).
    case tweedie
    /// A step of the flow, without the score.
    case euler
}

// MARK: - The table of options

extension SamplerOptions: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, spacing, stepsOffset, eta, clip, variance, end, stepRule, lowerOrderFinal
        case diffusionForm, diffusionNorm, lastStep, lastStepSize
    }

    /// An option that only some samplers have.
    private struct Option {
        /// When it is written. An option that came later is left out where it says nothing, so that older options are
        /// written, and hashed, as they were before it existed.
        enum Writing { case always, ifSet, ifSetOrUsed }

        let key: CodingKeys
        let kinds: [SamplerKind]
        /// Whether it differs from the default.
        let isSet: (SamplerOptions) -> Bool
        let copy: (_ source: SamplerOptions, _ target: inout SamplerOptions) -> Void
        let decode: (KeyedDecodingContainer<CodingKeys>, inout SamplerOptions) throws -> Void
        let encode: (SamplerOptions, inout KeyedEncodingContainer<CodingKeys>) throws -> Void

        init<Value: Codable & Equatable>(
            _ key: CodingKeys, _ path: WritableKeyPath<SamplerOptions, Value>, of kinds: [SamplerKind],
            _ writing: Writing
        ) {
            let preset = SamplerOptions()[keyPath: path]
            self.key = key
            self.kinds = kinds
            isSet = { $0[keyPath: path] != preset }
            copy = { $1[keyPath: path] = $0[keyPath: path] }
            decode = { if let value = try $0.decodeIfPresent(Value.self, forKey: key) { $1[keyPath: path] = value } }
            encode = { options, values in
                guard
                    writing == .always || options[keyPath: path] != preset
                        || (writing == .ifSetOrUsed && kinds.contains(options.kind))
                else { return }
                try values.encode(options[keyPath: path], forKey: key)
            }
        }
    }

    private static var table: [Option] {
        [
            Option(.eta, \.eta, of: [.ddim], .always),
            Option(.clip, \.clip, of: [.ddim, .ddpm, .dpmSolver], .ifSet),
            Option(.variance, \.variance, of: [.ddpm], .always),
            Option(.end, \.end, of: [.ddim, .dpmSolver, .euler, .heun], .always),
            Option(.stepRule, \.stepRule, of: [.ddim, .ddpm], .ifSet),
            Option(.lowerOrderFinal, \.lowerOrderFinal, of: [.dpmSolver], .always),
            Option(.diffusionForm, \.diffusionForm, of: [.sde], .ifSetOrUsed),
            Option(.diffusionNorm, \.diffusionNorm, of: [.sde], .ifSetOrUsed),
            Option(.lastStep, \.lastStep, of: [.sde], .ifSetOrUsed),
            Option(.lastStepSize, \.lastStepSize, of: [.sde], .ifSetOrUsed),
        ]
    }

    /// Absent options take their defaults, so that a file written before an option existed still means the same.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(try values.decode(SamplerKind.self, forKey: .kind))
        spacing = try values.decodeIfPresent(TimestepSpacing.self, forKey: .spacing) ?? spacing
        stepsOffset = try values.decodeIfPresent(Int.self, forKey: .stepsOffset) ?? stepsOffset
        for option in Self.table { try option.decode(values, &self) }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(spacing, forKey: .spacing)
        try values.encode(stepsOffset, forKey: .stepsOffset)
        for option in Self.table { try option.encode(self, &values) }
    }

    // MARK: - Changing

    /// The same options for another sampler: those that it does not have fall back to their defaults.
    public func changed(to kind: SamplerKind) -> SamplerOptions {
        guard kind != self.kind else { return self }
        var changed = SamplerOptions(kind, spacing: spacing, stepsOffset: stepsOffset)
        for option in Self.table where option.kinds.contains(kind) && option.kinds.contains(self.kind) {
            option.copy(self, &changed)
        }
        return changed
    }

    /// The same options with another spacing, without the offset that only leading spacing has, and by the default rule
    /// where diffusers does not know the spacing.
    public func changed(to spacing: TimestepSpacing) -> SamplerOptions {
        var changed = self
        changed.spacing = spacing
        if spacing != .leading { changed.stepsOffset = 0 }
        if spacing == .respaced { changed.stepRule = .list }
        return changed
    }

    /// The options of the sampler that stands for all that take the same path through the same model calls: of DDIM for
    /// Euler's method on a variance-preserving process (arXiv 2010.02502, eq. 13), else these.
    public func onSamePath(for process: DiffusionProcess) -> SamplerOptions {
        kind == .euler && process.predictionType != .flow ? changed(to: .ddim) : self
    }

    /// The same options with a step rule, or with the default one where the rule would change nothing for `steps` steps of
    /// a model of this process: equal results have equal options.
    ///
    /// - Throws: A ``SamplingError`` when the options do not fit the process.
    public func following(
        _ rule: StepRule, process: DiffusionProcess, steps: Int
    ) throws(SamplingError) -> SamplerOptions {
        var (own, ruled) = (self, self)
        (own.stepRule, ruled.stepRule) = (.list, rule)
        guard [.ddim, .ddpm].contains(kind), spacing != .respaced, process.predictionType != .flow else { return own }
        let (grid, ruledGrid) = try (
            SamplingGrid(own, process: process, steps: steps), SamplingGrid(ruled, process: process, steps: steps)
        )
        // The small variance of a step to no noise is zero.
        let addsNoise = ruledGrid.addsNoiseLast && variance != .fixedSmall
        return grid.isSame(as: ruledGrid) && !(kind == .ddpm && addsNoise) ? own : ruled
    }
}
