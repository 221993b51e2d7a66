import Models
import Sampling

extension DiffusionProcess {
    /// The keys by which a network's `config.json` says something of the process.
    static let configKeys =
        ["prediction_type", "num_train_timesteps"] + betaKeys + flowKeys
    private static let betaKeys = ["beta_schedule", "beta_start", "beta_end", "trained_betas"]
    private static let flowKeys = [
        "shift", "flow_path", "flow_direction", "timestep_scale", "flow_output", "velocity_floor",
        "noise_scale",
    ]

    /// The process that a network's `config.json` says, in the keys that weights-format.md lists.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(config file: JSONFile) throws(ModelError) {
        do {
            try self.init(ConfigFields(file))
        } catch {
            // A ConfigProblem or a SamplingError: either names the key.
            throw file.problem("\(error)")
        }
    }

    private init(_ fields: ConfigFields) throws {
        let name = try fields.value("prediction_type", .text, default: "epsilon")
        guard let type = PredictionType(name: name) else {
            throw fields.unsupported("prediction_type", name, Self.list(PredictionType.self))
        }
        let timesteps = try fields.value("num_train_timesteps", .whole, default: 1000)
        for key in type == .flow ? Self.betaKeys : Self.flowKeys where fields.file[key] != nil {
            throw SamplingError.misplacedField(name: key, predictionType: type)
        }
        if type == .flow {
            let flow = try Flow(
                path: Self.named("flow_path", in: fields, default: Flow.Path.linear),
                shift: fields.value("shift", .number, default: 1),
                direction: Self.named("flow_direction", in: fields, default: Flow.Direction.toNoise),
                timestepScale: fields.optional("timestep_scale", .number),
                output: Self.flowOutput(fields), noiseScale: fields.value("noise_scale", .number, default: 1))
            try self.init(flow, trainTimesteps: timesteps)
            return
        }
        try self.init(
            type, betas: BetaSchedule(fields, start: 0.0001, end: 0.02), trainTimesteps: timesteps)
    }

    private static func flowOutput(_ fields: ConfigFields) throws(ConfigProblem) -> Flow.Output {
        let isSample = try fields.choice("flow_output", "velocity", ["velocity": false, "sample": true])
        if isSample { return .sample(floor: try fields.value("velocity_floor", .number, default: 0.05)) }
        guard fields.file["velocity_floor"] == nil else {
            throw ConfigProblem("velocity_floor has no meaning unless flow_output is sample; remove it")
        }
        return .velocity
    }

    private static func named<Name: RawRepresentable<String> & CaseIterable>(
        _ key: String, in fields: ConfigFields, default preset: Name
    ) throws(ConfigProblem) -> Name {
        let text = try fields.value(key, .text, default: preset.rawValue)
        guard let name = Name(rawValue: text) else { throw fields.unsupported(key, text, list(Name.self)) }
        return name
    }

    private static func list<Name: RawRepresentable<String> & CaseIterable>(_: Name.Type) -> String {
        Name.allCases.map(\.rawValue).joined(separator: ", ")
    }
}

extension BetaSchedule {
    /// The betas by the keys that diffusers' schedulers and our `config.json` have in common.
    ///
    /// Only what is used is read, as in diffusers: betas that are listed need neither schedule nor ends.
    init(_ fields: ConfigFields, start: Double, end: Double) throws(ConfigProblem) {
        if let betas = try fields.optional("trained_betas", .list(of: .number)) {
            self = .trained(betas)
            return
        }
        func ends(_ make: (Double, Double) -> BetaSchedule) throws(ConfigProblem) -> BetaSchedule {
            try make(
                fields.value("beta_start", .number, default: start), fields.value("beta_end", .number, default: end))
        }
        let name: ScheduleName = try fields.choice(
            "beta_schedule", "linear",
            ["linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .squaredCosine])
        switch name {
        case .linear: self = try ends { .linear(start: $0, end: $1) }
        case .scaledLinear: self = try ends { .scaledLinear(start: $0, end: $1) }
        case .squaredCosine: self = .squaredCosine
        }
    }

    private enum ScheduleName { case linear, scaledLinear, squaredCosine }
}
