import FoundationEssentials

extension DiTConfig {
    /// Reads and validates `config.json` in a model directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        try self.init(file: JSONFile(path: "\(directory)/config.json"))
    }

    /// Reads and validates the text of a `config.json`; errors name `path`.
    public init(json: Data, path: String) throws(ModelError) {
        try self.init(file: JSONFile(bytes: Array(json), path: path))
    }

    /// Reads and validates a `config.json` that has been parsed: ours, or that of a DiT of diffusers.
    package init(file: JSONFile) throws(ModelError) {
        do throws(ConfigProblem) {
            let fields = ConfigFields(file)
            self =
                try fields.contains("_class_name")
                ? DiffusersDiTConfig(fields).config() : DiTConfig(fields)
        } catch {
            throw file.problem(error.description)
        }
    }

    /// Reads our own keys. An explicit null means that there is no value; keys that have one always refuse it.
    private init(_ fields: ConfigFields) throws(ConfigProblem) {
        if case .array(let classes)? = fields.file["architectures"], case .string(let found)? = classes.first {
            throw ConfigProblem(
                "it describes a \(found) of the transformers library; only Diffusion Transformers (DiT, SiT) are supported"
            )
        }
        let architecture = try fields.value("architecture", .text, default: "DiT")
        guard architecture == "DiT" else {
            throw ConfigProblem("architecture is \(architecture); only DiT is supported")
        }
        let normEpsilon = try fields.value("norm_eps", .number, default: 1e-6)
        try self.init(
            depth: fields.required("depth", .whole), hiddenSize: fields.required("hidden_size", .whole),
            heads: fields.required("num_heads", .whole), patchSize: fields.required("patch_size", .whole),
            inputSize: fields.required("input_size", .whole), inChannels: fields.required("in_channels", .whole),
            learnSigma: fields.required("learn_sigma", .flag), numClasses: fields.required("num_classes", .whole),
            classNames: Self.classNames(in: fields), mlpRatio: fields.value("mlp_ratio", .number, default: 4),
            normEpsilon: normEpsilon, mlpNormEpsilon: fields.value("mlp_norm_eps", .number, default: normEpsilon),
            timestepFrequencyShift: fields.value("timestep_frequency_shift", .whole, default: 0),
            valueRange: Self.range(fields.optional("value_range", .list(of: .number))),
            guidanceScale: fields.optional("guidance_scale", .number),
            guidanceChannels: fields.optional("guidance_channels", .whole))
    }

    /// The names that a configuration gives the classes; none where there is no such key.
    static func classNames(in fields: ConfigFields) throws(ConfigProblem) -> [String] {
        try fields.optional("class_names", .list(of: .text)) ?? []
    }

    private static func range(_ bounds: [Double]?) throws(ConfigProblem) -> ClosedRange<Double>? {
        guard let bounds else { return nil }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            throw ConfigProblem("value_range is not two different finite numbers in rising order")
        }
        return bounds[0]...bounds[1]
    }
}
