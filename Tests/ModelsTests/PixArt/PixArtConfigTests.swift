import Foundation
import Testing

@testable import Models

/// PixArt's `config.json`: as diffusers writes it, what is refused, and which sizes can be drawn.
@Suite struct PixArtConfigTests {
    private func config(_ members: String, of className: String = "PixArtTransformer2DModel") throws -> PixArtConfig {
        let comma = members.isEmpty ? "" : ", "
        return try parsed(#"{"_class_name": "\#(className)", "caption_channels": 4096\#(comma)\#(members)}"#)
    }

    private func parsed(_ text: String) throws -> PixArtConfig {
        let file = try JSONFile(bytes: Array(text.utf8), path: "config.json")
        return try #require(try NetworkFamily.all.configuration(in: file) as? PixArtConfig)
    }

    @Test func `what is absent has the default of diffusers' class`() throws {
        let expected = try PixArtConfig(
            depth: 28, heads: 16, headDimension: 72, sampleSize: 128, hasSizeConditions: true)
        #expect(try config("") == expected)
        #expect(try config(#""norm_type": "ada_norm_single""#, of: "Transformer2DModel") == expected)
        #expect(expected.positionScale == 2)
        #expect(expected.latentShape == LatentShape(channels: 4, height: 128, width: 128))
    }

    @Test func `a class that two families share goes to the one of its norm`() throws {
        let dit = try JSONFile(
            bytes: Array(#"{"_class_name": "Transformer2DModel", "norm_type": "ada_norm_zero"}"#.utf8), path: "c")
        #expect(try NetworkFamily.all.configuration(in: dit) is DiTConfig)
    }

    @Test(arguments: [
        (#""sample_size": 32"#, 1.0), (#""sample_size": 64"#, 1), (#""sample_size": 256"#, 4),
        (#""sample_size": 32, "interpolation_scale": 0.5"#, 0.5),
        (#""sample_size": 64, "interpolation_scale": null"#, 1),
    ])
    func `positions are scaled as stated, or by the size of the training`(members: String, scale: Double) throws {
        #expect(try config(members).positionScale == scale)
    }

    @Test func `the size is a condition where it is said, or else at 1024 pixels`() throws {
        #expect(try !config(#""sample_size": 64"#).hasSizeConditions)
        #expect(try !config(#""sample_size": 128, "use_additional_conditions": false"#).hasSizeConditions)
        #expect(try config(#""sample_size": 64, "use_additional_conditions": true"#).hasSizeConditions)
    }

    @Test(arguments: [
        ("", nil, 120), (#""interpolation_scale": 1"#, nil, 120),
        (#""interpolation_scale": 1, "use_additional_conditions": false"#, nil, 300),
        (#""use_additional_conditions": false"#, "PixArtSigmaPipeline", 300),
        (#""interpolation_scale": 1, "use_additional_conditions": false"#, "PixArtAlphaPipeline", 120),
        (#""prompt_tokens": 77"#, "PixArtSigmaPipeline", 77),
    ])
    func `the pipeline, or else the configuration, tells how long a prompt may be`(
        members: String, pipeline: String?, limit: Int
    ) throws {
        let config = try config(members)
        #expect((pipeline.map { config.inPipeline($0) } ?? config).promptLimit == limit)
    }

    @Test func `what is encoded is read back as the same`() throws {
        for config in [
            try config(""), try config(#""sample_size": 64, "prompt_tokens": 9, "out_channels": 4"#),
            try config(#""sample_size": 64, "interpolation_scale": 1.5"#).sized(width: 576, height: 448),
        ] {
            let read = try parsed(String(decoding: JSONEncoder().encode(config), as: UTF8.self))
            #expect(read == (try parsed(String(decoding: JSONEncoder().encode(read), as: UTF8.self))))
            #expect(read.latentShape == config.latentShape && read.promptLimit == config.promptLimit)
            #expect(read.positionScale == config.positionScale && read.learnSigma == config.learnSigma)
        }
    }

    @Test(arguments: [
        (#""norm_type": "ada_norm_zero""#, "norm_type is ada_norm_zero; only ada_norm_single is supported"),
        (#""activation_fn": "geglu""#, "activation_fn is geglu; only gelu-approximate is supported"),
        (#""attention_bias": null"#, "attention_bias is false; only true is supported"),
        (#""norm_elementwise_affine": true"#, "norm_elementwise_affine is true; only false is supported"),
        (#""attention_type": "gated""#, "attention_type is gated; only default is supported"),
        (#""only_cross_attention": true"#, "only_cross_attention is true; only false is supported"),
        (#""double_self_attention": true"#, "double_self_attention is true; only false is supported"),
        (#""num_vector_embeds": 3"#, "num_vector_embeds is given"),
        (#""cross_attention_dim": 1024"#, "cross_attention_dim is not num_attention_heads times attention_head_dim"),
        (#""cross_attention_dim": null"#, "cross_attention_dim is not num_attention_heads times"),
        (#""out_channels": 7"#, "out_channels is 7; only in_channels (4) or twice as many are supported"),
        (#""sample_size": 33"#, "sample_size 33 is not divisible by patch_size 2"),
        (#""num_attention_heads": 4611686018427387904"#, "is too large"),
        (#""interpolation_scale": 0"#, "interpolation_scale is 0.0, not a finite positive number"),
        (#""prompt_tokens": 0"#, "prompt_tokens is 0"),
        (#""num_attention_heads": 1, "attention_head_dim": 8, "cross_attention_dim": 8"#, "is 8, not divisible by 4"),
    ])
    func `what is not supported is refused with what is`(members: String, says: String) throws {
        let error = try #require(throws: ModelError.self) { try config(members) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.kind == .badData)
    }

    @Test func `captions must be projected`() throws {
        for text in [
            #"{"_class_name": "PixArtTransformer2DModel"}"#,
            #"{"_class_name": "PixArtTransformer2DModel", "caption_channels": null}"#,
        ] {
            let error = try #require(throws: ModelError.self) { try parsed(text) }
            #expect(error.description.contains("caption_channels is missing or null"))
        }
    }

    // MARK: - Sizes

    @Test func `the sizes are those of the pipelines' bins`() throws {
        // The first, some in the middle and the last of diffusers' tables.
        let expected: [(side: Int, count: Int, sizes: [(Int, Int)])] = [
            (32, 33, [(128, 512), (192, 336), (256, 256), (272, 240), (512, 128)]),
            (64, 33, [(256, 1024), (352, 672), (512, 512), (608, 416), (1024, 256)]),
            (128, 33, [(512, 2048), (576, 1664), (1024, 1024), (1472, 704), (2048, 512)]),
            (256, 40, [(1024, 4096), (1024, 3968), (2048, 2048), (3328, 1152), (4096, 1024)]),
        ]
        for (side, count, sizes) in expected {
            let list = try #require(PixArtSizes.list(sampleSize: side))
            #expect(list.count == count)
            for size in sizes { #expect(list.contains { $0 == size }, "\(size)") }
        }
    }

    @Test func `a size of the training is drawn, and another names the nearest`() throws {
        let model = try config(#""sample_size": 64"#)
        #expect(try model.sized(width: 576, height: 448).latentShape == LatentShape(channels: 4, height: 56, width: 72))
        #expect(try model.sized(width: 512, height: 512) == model)
        let error = #expect(throws: ConfigProblem.self) { try model.sized(width: 640, height: 500) }
        #expect(
            "\(try #require(error))"
                == "the model was not trained on 640 x 500 pixels; the nearest of its sizes are 576 x 448, 544 x 448, "
                + "576 x 416")
        #expect(throws: ConfigProblem.self) { try model.sized(width: 0, height: -1) }
    }

    @Test func `a model of whose training nothing is known draws any whole patches`() throws {
        let model = try config(#""sample_size": 20"#)
        #expect(try model.sized(width: 48, height: 32).latentShape == LatentShape(channels: 4, height: 4, width: 6))
        let error = #expect(throws: ConfigProblem.self) { try model.sized(width: 40, height: 32) }
        #expect("\(try #require(error))".contains("width and height must be multiples of 16"))
    }

    @Test func `a DiT says that it draws one size alone`() throws {
        let dit = try DiTConfig(
            depth: 1, hiddenSize: 8, heads: 1, patchSize: 2, inputSize: 8, inChannels: 4, learnSigma: false,
            numClasses: 2)
        let error = #expect(throws: ConfigProblem.self) { try dit.sized(width: 64, height: 32) }
        #expect("\(try #require(error))".contains("cannot draw 64 x 32 pixels"))
    }

    @Test func `a prompt is shown to the encoder in lower case without white space around it`() throws {
        let rules = try #require(try config("").conditions.promptRules)
        #expect(rules.isSimplified && rules.text(of: "\n A Red  APPLE\t") == "a red  apple")
        #expect(rules.examples.count == 24 && Set(rules.examples).count == 24)
        #expect(rules.examples.allSatisfy { rules.text(of: $0).count > 20 })
    }
}
