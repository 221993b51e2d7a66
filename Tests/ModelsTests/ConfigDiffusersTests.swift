import FoundationEssentials
import Testing

@testable import Models

@Suite struct ConfigDiffusersTests {
    private func config(_ text: String) throws(ModelError) -> DiTConfig {
        try DiTConfig(text: Array(text.utf8))
    }

    @Test func `a configuration as diffusers writes it is read in full`() throws {
        // DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8,
        //     num_layers=2, sample_size=6, num_embeds_ada_norm=5).save_pretrained(...), diffusers 0.42.1
        let config = try config(
            """
            {"_class_name": "DiTTransformer2DModel", "_diffusers_version": "0.42.1",
             "activation_fn": "gelu-approximate", "attention_bias": true, "attention_head_dim": 8, "dropout": 0.0,
             "in_channels": 4, "norm_elementwise_affine": false, "norm_eps": 1e-05, "norm_num_groups": 32,
             "norm_type": "ada_norm_zero", "num_attention_heads": 2, "num_embeds_ada_norm": 5, "num_layers": 2,
             "out_channels": 8, "patch_size": 2, "sample_size": 6, "upcast_attention": false}
            """)
        let expected = try DiTConfig(
            depth: 2, hiddenSize: 16, heads: 2, patchSize: 2, inputSize: 6, inChannels: 4, learnSigma: true,
            numClasses: 5, mlpRatio: 4, normEpsilon: 1e-6, mlpNormEpsilon: 1e-5, timestepFrequencyShift: 1)
        #expect(config == expected)
    }

    @Test func `absent keys have the defaults of diffusers' class`() throws {
        let expected = try DiTConfig(
            depth: 28, hiddenSize: 1152, heads: 16, patchSize: 2, inputSize: 32, inChannels: 4, learnSigma: false,
            numClasses: 1000, mlpNormEpsilon: 1e-5, timestepFrequencyShift: 1)
        #expect(try config(#"{"_class_name": "DiTTransformer2DModel"}"#) == expected)
        #expect(try config(#"{"_class_name": "Transformer2DModel", "norm_type": "ada_norm_zero"}"#) == expected)
        #expect(try config(#"{"_class_name": "DiTTransformer2DModel", "out_channels": null}"#) == expected)
    }

    @Test func `a null is false for a flag of diffusers`() throws {
        #expect(
            try config(#"{"_class_name": "DiTTransformer2DModel", "norm_elementwise_affine": null}"#)
                == config(#"{"_class_name": "DiTTransformer2DModel"}"#))
    }

    @Test func `names and recommendations may be added in our keys`() throws {
        let config = try config(
            """
            {"_class_name": "DiTTransformer2DModel", "num_embeds_ada_norm": 2, "class_names": ["a, b", "c"],
             "guidance_scale": 1.5, "guidance_channels": 3}
            """)
        #expect(config.classNames == ["a, b", "c"])
        #expect(config.guidanceScale == 1.5)
        #expect(config.guidanceChannels == 3)
    }

    @Test func `what diffusers says in its own keys survives in ours`() throws {
        let config = try config(#"{"_class_name": "DiTTransformer2DModel", "norm_eps": 1e-3}"#)
        #expect(try DiTConfig(text: Array(JSONEncoder().encode(config))) == config)
    }

    @Test(arguments: [
        (
            #""_class_name": "UNet2DConditionModel""#,
            "_class_name is UNet2DConditionModel, a U-Net; supported: DiTTransformer2DModel, Transformer2DModel"
        ),
        (
            #""_class_name": "Transformer2DModel""#,
            "norm_type is layer_norm, a text-to-image transformer or part of a U-Net; only ada_norm_zero"
        ),
        (#""_class_name": 3"#, "_class_name is 3, not a text"),
        (dit(#""norm_type": "ada_norm_single""#), "norm_type is ada_norm_single; only ada_norm_zero is supported"),
        (dit(#""activation_fn": "geglu""#), "activation_fn is geglu; only gelu-approximate is supported"),
        (dit(#""norm_elementwise_affine": true"#), "norm_elementwise_affine is true; only false is supported"),
        (dit(#""attention_bias": false"#), "attention_bias is false; only true is supported"),
        (dit(#""out_channels": 7"#), "out_channels is 7; only in_channels (4) or twice as many are supported"),
        (dit(#""num_attention_heads": 4611686018427387904"#), "is too large"),
        (dit(#""num_attention_heads": 0"#), "hidden_size is 0"),
        (dit(#""sample_size": 33"#), "input_size 33 is not divisible by patch_size 2"),
        (dit(#""sample_size": [32, 32]"#), "sample_size is the list [32, 32], not a whole number"),
        (dit(#""attention_bias": null"#), "attention_bias is false; only true is supported"),
        (dit(#""norm_type": null"#), "norm_type is null, not a text"),
        (dit(#""activation_fn": null"#), "activation_fn is null, not a text"),
        (dit(#""num_embeds_ada_norm": null"#), "num_embeds_ada_norm is null, not a whole number"),
        (dit(#""num_layers": null"#), "num_layers is null, not a whole number"),
        (dit(#""num_attention_heads": null"#), "num_attention_heads is null, not a whole number"),
        (dit(#""attention_head_dim": null"#), "attention_head_dim is null, not a whole number"),
        (dit(#""in_channels": null"#), "in_channels is null, not a whole number"),
        (dit(#""patch_size": null"#), "patch_size is null, not a whole number"),
        (dit(#""sample_size": null"#), "sample_size is null, not a whole number"),
        (dit(#""norm_eps": null"#), "norm_eps is null, not a finite number"),
        (dit(#""norm_eps": "1e-5""#), "norm_eps is the text '1e-5', not a finite number"),
    ])
    func `what is not supported is refused with what is`(members: String, says: String) throws {
        let error = try #require(throws: ModelError.self) { try config("{\(members)}") }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.kind == .badData)
    }

    private static func dit(_ members: String) -> String {
        #""_class_name": "DiTTransformer2DModel", "# + members
    }
}
