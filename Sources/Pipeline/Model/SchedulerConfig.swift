import Models
import Sampling

/// A scheduler's configuration as diffusers writes it: what the model was trained to undo, and how to sample it.
///
/// The defaults are those of the classes' constructors, source: https://github.com/huggingface/diffusers, schedulers/,
/// version 0.42.1, and so is what an explicit null means: false for a flag (unless the class adds flags up), none for
/// what may be None, and otherwise an error. Keys that change nothing here are not read; a value that would change the
/// result and has no counterpart is an error.
struct SchedulerConfig: Equatable {
    /// What the model was trained to undo; nil where the class leaves that to the network.
    let process: DiffusionProcess?
    /// The sampler with its options.
    let sampler: SamplerOptions

    private typealias Reader = @Sendable (ConfigFields) throws -> SchedulerConfig

    /// The classes that have a counterpart, in the order in which a message lists them.
    private static let readers: KeyValuePairs<String, Reader> = [
        "DDIMScheduler": ddim,
        "DDPMScheduler": ddpm,
        "DPMSolverMultistepScheduler": dpmSolver,
        "EulerDiscreteScheduler": euler,
        "HeunDiscreteScheduler": heun,
        "FlowMatchEulerDiscreteScheduler": flowEuler,
        "MiniT2IFlowMatchScheduler": miniT2I,
    ]

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - className: the class that a pipeline's index names, which counts before the file's own.
    /// - Throws: ``ModelError`` that names the file, the key and what is supported.
    init(path: String, className: String? = nil) throws(ModelError) {
        let file = try JSONFile(path: path)
        do {
            let supported = Self.readers.map(\.key).joined(separator: ", ")
            let fields = ConfigFields(file)
            guard className != nil || fields.contains("_class_name") else {
                throw file.problem("the key _class_name is missing; supported: \(supported)")
            }
            let className = try className ?? fields.required("_class_name", .text)
            guard let reader = Self.readers.first(where: { $0.key == className })?.value else {
                throw file.problem("the scheduler is \(className); supported: \(supported)")
            }
            self = try reader(ConfigFields(file, owner: className))
        } catch let error as ModelError {
            throw error
        } catch {
            // A ConfigProblem or a SamplingError: either names the key.
            throw file.problem("\(error)")
        }
    }

    private init(_ process: DiffusionProcess?, _ sampler: SamplerOptions) {
        self.process = process
        self.sampler = sampler
    }
}

// MARK: - The classes

extension SchedulerConfig {
    private static func ddim(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuse(["thresholding", "rescale_betas_zero_snr"], in: fields)
        var sampler = try spaced(.ddim, by: fields, preset: "leading")
        sampler.clip = try clip(fields)
        sampler.end = try fields.flag("set_alpha_to_one", true) ? .clean : .firstTimestep
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    private static func ddpm(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuse(["thresholding", "rescale_betas_zero_snr"], in: fields)
        var sampler = try spaced(.ddpm, by: fields, preset: "leading")
        sampler.clip = try clip(fields)
        // The "log" form of the small variance is the same number, taken through its logarithm.
        sampler.variance = try fields.choice(
            "variance_type", "fixed_small",
            [
                "fixed_small": .fixedSmall, "fixed_small_log": .fixedSmall, "fixed_large": .fixedLarge,
                "learned_range": .learnedRange,
            ], null: "fixed_small")
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    private static func dpmSolver(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuse(
            ["thresholding", "rescale_betas_zero_snr", "use_dynamic_shifting", "use_flow_sigmas", "use_lu_lambdas"],
            in: fields)
        try refuseOtherSigmas(in: fields)
        try fields.choice("algorithm_type", "dpmsolver++", ["dpmsolver++": ()])
        try fields.choice("solver_type", "midpoint", ["midpoint": ()])
        let order = try fields.value("solver_order", .whole, default: 2)
        guard order == 2 else { throw fields.unsupported("solver_order", "\(order)", "2") }
        let least = try fields.value("lambda_min_clipped", .extendedNumber, default: -.infinity)
        guard least == -.infinity else { throw fields.unsupported("lambda_min_clipped", "\(least)", "-Infinity") }
        var sampler = try spaced(.dpmSolver, by: fields, preset: "linspace")
        sampler.end = try fields.choice("final_sigmas_type", "zero", ["zero": .clean, "sigma_min": .firstTimestep])
        sampler.lowerOrderFinal = try fields.flag("lower_order_final", true)
        // A step to no noise is of first order anyway.
        if sampler.end != .clean { try refuse(["euler_at_final"], in: fields) }
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    /// Only leading spacing: the scheduler does not round the timesteps of linspace, and starts from noise of another
    /// scale where the spacing is trailing.
    private static func euler(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuseOtherSigmas(in: fields)
        try refuse(["rescale_betas_zero_snr"], in: fields)
        try fields.choice("interpolation_type", "linear", ["linear": ()])
        try fields.choice("timestep_type", "discrete", ["discrete": ()], null: "discrete")
        try fields.choice("timestep_spacing", "linspace", ["leading": ()])
        var sampler = try spaced(.euler, by: fields, preset: "linspace")
        sampler.end = try fields.choice("final_sigmas_type", "zero", ["zero": .clean, "sigma_min": .firstTimestep])
        return try SchedulerConfig(variancePreserving(fields), sampler)
    }

    /// Only leading spacing, for the reasons of Euler's.
    private static func heun(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuseOtherSigmas(in: fields)
        try refuse(["clip_sample"], in: fields)
        try fields.choice("timestep_spacing", "linspace", ["leading": ()])
        return try SchedulerConfig(
            variancePreserving(fields, betaStart: 0.00085, betaEnd: 0.012),
            spaced(.heun, by: fields, preset: "linspace"))
    }

    private static func flowEuler(_ fields: ConfigFields) throws -> SchedulerConfig {
        try refuseOtherSigmas(in: fields)
        try refuse(["use_dynamic_shifting", "invert_sigmas", "stochastic_sampling"], in: fields)
        let terminal = try fields.optional("shift_terminal", .number) ?? 0
        guard terminal == 0 else { throw fields.unsupported("shift_terminal", "\(terminal)", "null") }
        return try SchedulerConfig(
            DiffusionProcess(
                Flow(shift: fields.value("shift", .number, default: 1)), trainTimesteps: trainTimesteps(fields)),
            SamplerOptions(.euler, spacing: .linspace))
    }

    /// MiniT2I's own class, whose keys are those of its training: times fall evenly from noise to picture.
    ///
    /// Source: https://github.com/Bili-Sakura/MiniT2I-diffusers, schedulers/scheduling_minit2i.py.
    private static func miniT2I(_ fields: ConfigFields) throws -> SchedulerConfig {
        SchedulerConfig(nil, SamplerOptions(.euler, spacing: .trailing))
    }
}

// MARK: - What the classes share

extension SchedulerConfig {
    /// Refuses each of the keys that is set.
    private static func refuse(_ keys: [String], in fields: ConfigFields) throws(ConfigProblem) {
        for key in keys where try fields.flag(key, false) { throw fields.unsupported(key, "true", "false") }
    }

    /// Refuses other lists of noise levels. These flags may not be null: diffusers adds them up.
    private static func refuseOtherSigmas(in fields: ConfigFields) throws(ConfigProblem) {
        for key in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"] {
            guard try !fields.value(key, .flag, default: false) else { throw fields.unsupported(key, "true", "false") }
        }
    }

    private static func spaced(
        _ kind: SamplerKind, by fields: ConfigFields, preset: String
    ) throws(ConfigProblem) -> SamplerOptions {
        let spacing: TimestepSpacing = try fields.choice(
            "timestep_spacing", preset, ["leading": .leading, "trailing": .trailing, "linspace": .linspace])
        // The other spacings do not use the offset.
        let offset = spacing == .leading ? try fields.value("steps_offset", .whole, default: 0) : 0
        return SamplerOptions(kind, spacing: spacing, stepsOffset: offset)
    }

    private static func clip(_ fields: ConfigFields) throws(ConfigProblem) -> Double? {
        guard try fields.flag("clip_sample", true) else { return nil }
        return try fields.value("clip_sample_range", .number, default: 1)
    }

    private static func trainTimesteps(_ fields: ConfigFields) throws(ConfigProblem) -> Int {
        try fields.value("num_train_timesteps", .whole, default: 1000)
    }

    private static func variancePreserving(
        _ fields: ConfigFields, betaStart: Double = 0.0001, betaEnd: Double = 0.02
    ) throws -> DiffusionProcess {
        let type: PredictionType = try fields.choice(
            "prediction_type", "epsilon", ["epsilon": .epsilon, "v_prediction": .vPrediction, "sample": .sample])
        return try DiffusionProcess(
            type, betas: BetaSchedule(fields, start: betaStart, end: betaEnd), trainTimesteps: trainTimesteps(fields))
    }
}
