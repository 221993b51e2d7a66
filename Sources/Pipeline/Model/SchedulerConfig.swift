import Models
import Sampling

/// A scheduler's configuration as diffusers writes it: what the model was trained to undo, and how to sample it.
///
/// The defaults are those of the classes' constructors, source: https://github.com/huggingface/diffusers, schedulers/,
/// version 0.42.1. Keys that change nothing here are not read; a value that would change the result and has no
/// counterpart is an error. Where a scheduler's list of timesteps is irregular, ``TimestepSpacing`` says how ours
/// differs.
struct SchedulerConfig: Equatable {
    /// What the model was trained to undo.
    let process: DiffusionProcess
    /// The sampler with its options.
    let sampler: SamplerOptions

    private typealias Reader = @Sendable (SchedulerFields) throws -> SchedulerConfig

    /// The classes that have a counterpart, in the order in which a message lists them.
    private static let readers: KeyValuePairs<String, Reader> = [
        "DDIMScheduler": ddim,
        "DDPMScheduler": ddpm,
        "DPMSolverMultistepScheduler": dpmSolver,
        "EulerDiscreteScheduler": euler,
        "HeunDiscreteScheduler": heun,
        "FlowMatchEulerDiscreteScheduler": flowEuler,
    ]

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - className: the class that a pipeline's index names, which counts before the file's own.
    /// - Throws: ``ModelError`` that names the file, the key and what is supported.
    init(path: String, className: String? = nil) throws(ModelError) {
        let file = try JSONFile(path: path, allowsInfinity: true)
        let supported = Self.readers.map(\.key).joined(separator: ", ")
        guard let className = className ?? file.text("_class_name") else {
            throw file.problem("the key _class_name is missing; supported: \(supported)")
        }
        guard let reader = Self.readers.first(where: { $0.key == className })?.value else {
            throw file.problem("the scheduler is \(className); supported: \(supported)")
        }
        let fields = SchedulerFields(file, className: className)
        do {
            self = try reader(fields)
        } catch let error as ModelError {
            throw error
        } catch let error as SamplingError {
            throw fields.problem(error)
        } catch {
            throw file.problem("it cannot be decoded")
        }
    }

    private init(_ process: DiffusionProcess, _ sampler: SamplerOptions) {
        self.process = process
        self.sampler = sampler
    }
}

// MARK: - The classes

extension SchedulerConfig {
    private static func ddim(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(["thresholding", "rescale_betas_zero_snr"])
        var sampler = try spaced(.ddim, by: fields, preset: "leading")
        sampler.clip = try clip(fields, preset: true)
        sampler.end = try fields.flag("set_alpha_to_one", true) ? .clean : .firstTimestep
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    private static func ddpm(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(["thresholding", "rescale_betas_zero_snr"])
        var sampler = try spaced(.ddpm, by: fields, preset: "leading")
        sampler.clip = try clip(fields, preset: true)
        // The "log" form of the small variance is the same number, taken through its logarithm.
        sampler.variance = try fields.choice(
            "variance_type", "fixed_small",
            [
                "fixed_small": .fixedSmall, "fixed_small_log": .fixedSmall, "fixed_large": .fixedLarge,
                "learned_range": .learnedRange,
            ])
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    private static func dpmSolver(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(["thresholding", "rescale_betas_zero_snr", "use_dynamic_shifting", "use_flow_sigmas"])
        try fields.refuse(otherSigmas + ["use_lu_lambdas"])
        try fields.choice("algorithm_type", "dpmsolver++", ["dpmsolver++": ()])
        try fields.choice("solver_type", "midpoint", ["midpoint": ()])
        let order = try fields.whole("solver_order", 2)
        guard order == 2 else { throw fields.unsupported("solver_order", "\(order)", "2") }
        let least = try fields.number("lambda_min_clipped", -.infinity)
        guard least == -.infinity else { throw fields.unsupported("lambda_min_clipped", "\(least)", "-Infinity") }
        var sampler = try spaced(.dpmSolver, by: fields, preset: "linspace")
        sampler.end = try fields.choice("final_sigmas_type", "zero", ["zero": .clean, "sigma_min": .firstTimestep])
        sampler.lowerOrderFinal = try fields.flag("lower_order_final", true)
        // A step to no noise is of first order anyway.
        if sampler.end != .clean { try fields.refuse(["euler_at_final"]) }
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    /// Only leading spacing: the scheduler does not round the timesteps of linspace, and starts from noise of another
    /// scale where the spacing is trailing.
    private static func euler(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(otherSigmas + ["rescale_betas_zero_snr"])
        try fields.choice("interpolation_type", "linear", ["linear": ()])
        try fields.choice("timestep_type", "discrete", ["discrete": ()])
        try fields.choice("timestep_spacing", "linspace", ["leading": ()])
        var sampler = try spaced(.euler, by: fields, preset: "linspace")
        sampler.end = try fields.choice("final_sigmas_type", "zero", ["zero": .clean, "sigma_min": .firstTimestep])
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    /// Only leading spacing, for the reasons of Euler's.
    private static func heun(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(otherSigmas + ["clip_sample"])
        try fields.choice("timestep_spacing", "linspace", ["leading": ()])
        return try SchedulerConfig(
            variancePreserving(fields, betaStart: 0.00085, betaEnd: 0.012),
            spaced(.heun, by: fields, preset: "linspace"))
    }

    private static func flowEuler(_ fields: SchedulerFields) throws -> SchedulerConfig {
        try fields.refuse(otherSigmas + ["use_dynamic_shifting", "invert_sigmas", "stochastic_sampling"])
        try fields.refuseValue(of: "shift_terminal")
        return try SchedulerConfig(
            DiffusionProcess(
                flowWithShift: fields.number("shift", 1), trainTimesteps: fields.whole("num_train_timesteps", 1000)),
            SamplerOptions(.euler, spacing: .linspace))
    }
}

// MARK: - What the classes share

extension SchedulerConfig {
    private static let otherSigmas = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]

    private static func spaced(
        _ kind: SamplerKind, by fields: SchedulerFields, preset: String
    ) throws(ModelError) -> SamplerOptions {
        let spacing: TimestepSpacing = try fields.choice(
            "timestep_spacing", preset, ["leading": .leading, "trailing": .trailing, "linspace": .linspace])
        let offset = try fields.whole("steps_offset", 0)
        // The other spacings do not use the offset.
        return SamplerOptions(kind, spacing: spacing, stepsOffset: spacing == .leading ? offset : 0)
    }

    private static func clip(_ fields: SchedulerFields, preset: Bool) throws(ModelError) -> Double? {
        guard try fields.flag("clip_sample", preset) else { return nil }
        return try fields.number("clip_sample_range", 1)
    }

    private static func variancePreserving(
        _ fields: SchedulerFields, betaStart: Double = 0.0001, betaEnd: Double = 0.02
    ) throws -> DiffusionProcess {
        let type: PredictionType = try fields.choice(
            "prediction_type", "epsilon", ["epsilon": .epsilon, "v_prediction": .v, "sample": .sample])
        let steps = try fields.whole("num_train_timesteps", 1000)
        if let betas = try fields.numbers("trained_betas") {
            return try DiffusionProcess(type, betas: .trained(betas), trainTimesteps: steps)
        }
        let start = try fields.number("beta_start", betaStart)
        let end = try fields.number("beta_end", betaEnd)
        let schedule: BetaSchedule = try fields.choice(
            "beta_schedule", "linear",
            [
                "linear": .linear(start: start, end: end), "scaled_linear": .scaledLinear(start: start, end: end),
                "squaredcos_cap_v2": .squaredCosine,
            ])
        return try DiffusionProcess(type, betas: schedule, trainTimesteps: steps)
    }
}
