import FoundationEssentials
import TestSupport
import Testing

@testable import Models

@Suite struct ConfigTests {
    static let smallest = """
        {"depth": 2, "hidden_size": 16, "num_heads": 2, "patch_size": 2, "input_size": 6, "in_channels": 4,
         "learn_sigma": true, "num_classes": 3}
        """

    private func config(_ text: String) throws(ModelError) -> DiTConfig {
        try DiTConfig(text: Array(text.utf8))
    }

    /// The smallest configuration with some members replaced or added, given as JSON.
    private func text(_ changes: [String: String]) throws -> String {
        var members: [String: String] = [
            "depth": "2", "hidden_size": "16", "num_heads": "2", "patch_size": "2", "input_size": "6",
            "in_channels": "4", "learn_sigma": "true", "num_classes": "3",
        ]
        members.merge(changes) { $1 }
        return "{" + members.map { #""\#($0.key)": \#($0.value)"# }.sorted().joined(separator: ", ") + "}"
    }

    @Test func `optional keys have the values of the official DiT`() throws {
        let config = try config(Self.smallest)
        let expected = try DiTConfig(
            depth: 2, hiddenSize: 16, heads: 2, patchSize: 2, inputSize: 6, inChannels: 4, learnSigma: true,
            numClasses: 3, classNames: [], mlpRatio: 4, normEpsilon: 1e-6, mlpNormEpsilon: 1e-6,
            timestepFrequencyShift: 0, valueRange: nil, guidanceScale: nil)
        #expect(config == expected)
        #expect(config.outChannels == 8)
        #expect(config.gridSize == 3)
        #expect(config.tokens == 9)
        #expect(config.headDimension == 8)
        #expect(config.mlpWidth == 64)
    }

    @Test func `every key is read, others are left to others, and encoding keeps them all`() throws {
        let config = try config(
            text([
                "architecture": #""DiT""#, "learn_sigma": "false", "class_names": #"["a", "arts & crafts", "é"]"#,
                "mlp_ratio": "2.5", "norm_eps": "1e-5", "mlp_norm_eps": "2e-5", "timestep_frequency_shift": "1",
                "value_range": "[-1, 1]", "guidance_scale": "1.5", "guidance_channels": "3",
                "prediction_type": #""sample""#,
            ]))
        let expected = try DiTConfig(
            depth: 2, hiddenSize: 16, heads: 2, patchSize: 2, inputSize: 6, inChannels: 4, learnSigma: false,
            numClasses: 3, classNames: ["a", "arts & crafts", "é"], mlpRatio: 2.5, normEpsilon: 1e-5,
            mlpNormEpsilon: 2e-5, timestepFrequencyShift: 1, valueRange: -1...1, guidanceScale: 1.5,
            guidanceChannels: 3)
        #expect(config == expected)
        #expect(config.conventions.guidanceChannels == nil)
        #expect(config.outChannels == 4)
        #expect(config.mlpWidth == 40)
        #expect(try DiTConfig(text: Array(JSONEncoder().encode(config))) == config)
    }

    /// What `Scripts/convert.py SiT.pt out --sit --heads 2` wrote for a tiny SiT of random weights.
    @Test func `what the converter writes is read`() throws {
        let config = try config(
            """
            {
             "architecture": "DiT", "depth": 2, "hidden_size": 32, "num_heads": 2, "patch_size": 2, "input_size": 8,
             "in_channels": 4, "learn_sigma": true, "num_classes": 10, "mlp_ratio": 4.0, "prediction_type": "flow",
             "flow_path": "linear", "flow_direction": "to_data", "timestep_scale": 1, "guidance_scale": 4.0,
             "guidance_channels": 3
            }
            """)
        let expected = try DiTConfig(
            depth: 2, hiddenSize: 32, heads: 2, patchSize: 2, inputSize: 8, inChannels: 4, learnSigma: true,
            numClasses: 10, guidanceScale: 4, guidanceChannels: 3)
        #expect(config == expected)
    }

    @Test func `null is no value, 1.0 is a whole number, and a joined emoji is a name`() throws {
        let nulls = [
            "class_names": "null", "value_range": "null", "guidance_scale": "null", "guidance_channels": "null",
        ]
        #expect(try config(text(nulls)) == config(Self.smallest))
        #expect(try config(text(["depth": "2.0", "learn_sigma": "1", "num_classes": "3e0"])) == config(Self.smallest))
        #expect(try config(text(["unused": "NaN", "other": "-Infinity"])) == config(Self.smallest))
        let names = ["a\u{200D}b", "\u{1F468}\u{200D}\u{1F469}", "été"]
        #expect(
            try config(text(["class_names": "[\(names.map { "\"\($0)\"" }.joined(separator: ","))]"])).classNames
                == names)
    }

    @Test func `norm_eps alone holds for every layer norm`() throws {
        #expect(try config(text(["norm_eps": "1e-4"])).mlpNormEpsilon == 1e-4)
    }

    static let faults: [(changes: [String: String], says: String)] = [
        (["depth": "0"], "depth is 0, not in 1...1024"),
        (["depth": "-3"], "depth is -3"),
        (["depth": "9223372036854775807"], "depth is 9223372036854775807, not in 1...1024"),
        (["depth": "1e400"], "depth is inf, not a whole number"),
        (["depth": "18446744073709551616"], "depth is 1.8446744073709552e+19, not a whole number"),
        (["depth": "NaN"], "depth is NaN, not a whole number"),
        (["depth": "1.5"], "depth is 1.5, not a whole number"),
        (["depth": #""2""#], "depth is the text '2', not a whole number"),
        (["depth": "true"], "depth is true, not a whole number"),
        (["depth": "null"], "depth is null, not a whole number"),
        (["learn_sigma": "null"], "learn_sigma is null, not true or false"),
        (["mlp_ratio": "null"], "mlp_ratio is null, not a finite number"),
        (["norm_eps": "null"], "norm_eps is null, not a finite number"),
        (["mlp_norm_eps": "null"], "mlp_norm_eps is null, not a finite number"),
        (["timestep_frequency_shift": "null"], "timestep_frequency_shift is null, not a whole number"),
        (["architecture": "null"], "architecture is null, not a text"),
        (["_class_name": "null"], "_class_name is null, not a text"),
        (["_class_name": #"["a", "DiTTransformer2DModel"]"#], "_class_name is the list [the text 'a', the text"),
        (["hidden_size": "0"], "hidden_size is 0"),
        (["hidden_size": "17"], "hidden_size 17 is not divisible by num_heads 2"),
        (["hidden_size": "18"], "hidden_size 18 is not divisible by 4"),
        (["hidden_size": "4611686018427387904"], "hidden_size is 4611686018427387904, not in"),
        (["num_heads": "0"], "num_heads is 0"),
        (["num_heads": "3"], "hidden_size 16 is not divisible by num_heads 3"),
        (["patch_size": "0"], "patch_size is 0"),
        (["patch_size": "4"], "input_size 6 is not divisible by patch_size 4"),
        (["patch_size": "8"], "input_size 6 is not divisible by patch_size 8"),
        (["input_size": "0"], "input_size is 0"),
        (["input_size": "65536"], "input_size / patch_size is 32768"),
        (["in_channels": "0"], "in_channels is 0"),
        (["in_channels": "1000000000"], "in_channels is 1000000000"),
        (["num_classes": "0"], "num_classes is 0"),
        (["class_names": #"["a"]"#], "class_names has 1 names, but num_classes is 3"),
        (["class_names": #"["a", "b", 7]"#], "class_names"),
        (["class_names": "3"], "class_names is 3, not a list (each element a text)"),
        (["class_names": #"["a", "b", null]"#], "class_names is a list with null at 2"),
        (["class_names": #"["a", "b\u0000", "c"]"#], "class_names[1] holds the control character U+0000"),
        (["class_names": #"["\u001b[31m", "b", "c"]"#], "class_names[0] holds the control character U+001B"),
        (["class_names": #"["a", "b", "c\u009b1m"]"#], "class_names[2] holds the control character U+009B"),
        (["class_names": #"["a\u202e", "b", "c"]"#], "class_names[0] holds the control character U+202E"),
        (["class_names": #"["a", "b\nc", "c"]"#], "class_names[1] holds the control character U+000A"),
        (["class_names": #"["a", "b", "\u2028"]"#], "class_names[2] holds the control character U+2028"),
        (["learn_sigma": "2"], "learn_sigma is 2, not true or false"),
        (["learn_sigma": #""true""#], "learn_sigma is the text 'true', not true or false"),
        (["mlp_ratio": "0"], "mlp_ratio is 0"),
        (["mlp_ratio": "-4"], "mlp_ratio is -4"),
        (["mlp_ratio": "1e300"], "mlp_ratio is 1e+300"),
        (["norm_eps": "0"], "norm_eps is 0"),
        (["norm_eps": "-1e-6"], "norm_eps is -1e-06"),
        (["mlp_norm_eps": "2"], "mlp_norm_eps is 2"),
        (["timestep_frequency_shift": "2"], "timestep_frequency_shift is 2, not in 0...1"),
        (["value_range": "[1, -1]"], "value_range"),
        (["value_range": "[0, 0]"], "value_range"),
        (["value_range": "[0]"], "value_range"),
        (["guidance_scale": #""high""#], "guidance_scale is the text 'high', not a finite number"),
        (["guidance_scale": "Infinity"], "guidance_scale is inf, not a finite number"),
        (["guidance_channels": "5"], "guidance_channels is 5, not in 1...4"),
        (["guidance_channels": "0"], "guidance_channels is 0, not in 1...4"),
        (["guidance_channels": "1.5"], "guidance_channels is 1.5, not a whole number"),
        (["architecture": #""UNet""#], "architecture is UNet; supported: DiT"),
        (["architecture": "3"], "architecture is 3, not a text"),
        (["architectures": #"["BertModel"]"#], "it describes a BertModel of the transformers library; supported: DiT"),
        (["depth": "2, \"depth\": 3"], #"the key "depth" occurs twice"#),
    ]

    @Test(arguments: faults)
    func `a value that cannot be is refused by its key`(changes: [String: String], says: String) throws {
        let error = try #require(throws: ModelError.self) { try config(text(changes)) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.description.hasPrefix("config.json: "))
        #expect(!error.description.contains("\n"))
        #expect(error.kind == .badData)
    }

    @Test(arguments: [
        "depth", "hidden_size", "num_heads", "patch_size", "input_size", "in_channels", "learn_sigma", "num_classes",
    ])
    func `a missing key is named`(key: String) throws {
        let text = Self.smallest.replacing(#""\#(key)""#, with: #""x_\#(key)""#)
        let error = try #require(throws: ModelError.self) { try config(text) }
        #expect(error == .invalidConfig(path: "config.json", reason: "the key \(key) is missing"))
    }

    @Test(arguments: ["", "{", "[]", "7", "nonsense", "{} {}", "\u{FEFF}"])
    func `a text that is no JSON object is refused`(text: String) throws {
        let error = try #require(throws: ModelError.self) { try config(text) }
        #expect(error.kind == .badData)
    }

    @Test func `no mutation of a configuration crashes`() throws {
        var generator = SplitMix64(seed: 5)
        let alphabet = Array(#"0123456789-.e"{}[],:"#.utf8)
        var accepted = 0
        for _ in 0..<2_000 {
            var bytes = Array(Self.smallest.utf8)
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[position] = alphabet.randomElement(using: &generator) ?? 0
            }
            if (try? DiTConfig(text: bytes)) != nil { accepted += 1 }
        }
        #expect((20..<1_500).contains(accepted), "\(accepted) accepted")
    }

    @Test func `a missing config.json and an unreadable one are told apart`() throws {
        let directory = try TemporaryDirectory()
        let missing = try #require(throws: ModelError.self) { try DiTConfig(directory: directory.path) }
        #expect(missing == .missingConfig(path: directory.path + "/config.json"))
        #expect(missing.kind == .missingInput)
        try FileManager.default.createDirectory(
            atPath: directory.path + "/config.json", withIntermediateDirectories: true)
        let unreadable = try #require(throws: ModelError.self) { try DiTConfig(directory: directory.path) }
        #expect(unreadable.kind == .inputOutput)
    }
}

extension DiTConfig {
    /// The configuration in a model directory, by way of the registry of families.
    init(directory: String) throws(ModelError) {
        try self.init(registered: JSONFile(path: "\(directory)/config.json"))
    }

    /// The configuration in the text of a `config.json`, by way of the registry of families.
    init(text: [UInt8]) throws(ModelError) {
        try self.init(registered: JSONFile(bytes: text, path: "config.json"))
    }

    private init(registered file: JSONFile) throws(ModelError) {
        guard let config = try NetworkFamily.all.configuration(in: file) as? DiTConfig else {
            throw file.problem("no DiT")
        }
        self = config
    }
}
