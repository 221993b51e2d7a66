import Foundation
import Models
import PipelineSupport
import Testing

@testable import Pipeline

/// Directories that cannot be used: each failure is one line that names the file and says what to do.
@Suite struct BadDirectoryTests {
    private static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"

    /// One way to spoil a pipeline that has been written, and what the line must say.
    struct Spoilt: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let kind: FailureKind
        let texts: [String]
        let spoil: @Sendable (TinyPipeline) throws -> Void

        init(
            _ description: String, _ kind: FailureKind, _ texts: String...,
            spoil: @escaping @Sendable (TinyPipeline) throws -> Void
        ) {
            testDescription = description
            self.kind = kind
            self.texts = texts
            self.spoil = spoil
        }

        /// A file with another text.
        static func text(_ name: String, _ text: String, _ kind: FailureKind, _ says: String...) -> Spoilt {
            Spoilt(name + ": " + text.prefix(60), kind, texts: says) { try $0.write(Data(text.utf8), to: name) }
        }

        private init(
            _ description: String, _ kind: FailureKind, texts: [String],
            spoil: @escaping @Sendable (TinyPipeline) throws -> Void
        ) {
            testDescription = description
            self.kind = kind
            self.texts = texts
            self.spoil = spoil
        }
    }

    static let spoilt: [Spoilt] = [
        .text(
            "model_index.json", #"{"_class_name": "StableDiffusionPipeline"}"#, .badData, "model_index.json",
            "StableDiffusionPipeline", "U-Net", "DiTPipeline"),
        .text(
            "model_index.json", #"{"_class_name": "FluxPipeline"}"#, .badData, "FluxPipeline", "text-to-image",
            "DiTPipeline"),
        .text("model_index.json", "{}", .badData, "model_index.json", "_class_name is missing"),
        .text(
            "model_index.json", #"{"_class_name": ["my_pipeline", "DiTPipeline"]}"#, .badData,
            "_class_name is the list [the text 'my_pipeline', the text 'DiTPipeline'], not the name of a pipeline"),
        .text("model_index.json", #"{"_class_name": null}"#, .badData, "_class_name is null, not the name"),
        .text("model_index.json", #"{"_class_name": {"a": 1}}"#, .badData, "_class_name is an object, not the name"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "scheduler": "DDIMScheduler"}"#, .badData,
            "scheduler is the text 'DDIMScheduler', not a pair"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "vae": null}"#, .badData, "vae is null, not a pair"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "transformer": ["diffusers", 3]}"#, .badData,
            "transformer is the list [the text 'diffusers', 3], not a pair"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": 7}"#, .badData,
            "id2label is 7, neither an object nor a list"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": {"1": "a\u0000b"}}"#, .badData,
            "model_index.json", "id2label[1] holds the control character U+0000"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": ["a", ["b", "\u0085"]]}"#, .badData,
            "id2label[1] holds the control character U+0085"),
        .text("model_index.json", "{", .badData, "model_index.json", "not valid JSON"),
        .text("model_index.json", pointer, .badData, "model_index.json", "Git LFS pointer", "git lfs pull"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": {"3": "owl"}}"#, .badData, "id2label",
            "class 3", "0 to 2"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": ["a", "b", "c", "d"]}"#, .badData,
            "id2label has 4 names", "3 classes"),
        .text(
            "model_index.json", #"{"_class_name": "DiTPipeline", "id2label": {"0": 1}}"#, .badData, "class 0",
            "neither a text nor a list"),
        .text(
            "transformer/config.json", #"{"_class_name": "UNet2DConditionModel"}"#, .badData,
            "transformer/config.json", "UNet2DConditionModel, a U-Net"),
        .text(
            "transformer/config.json", #"{"_class_name": "FluxTransformer2DModel"}"#, .badData,
            "FluxTransformer2DModel, a text-to-image transformer"),
        .text(
            "transformer/config.json", #"{"_class_name": "Transformer2DModel", "norm_type": "layer_norm"}"#,
            .badData, "ada_norm_single", "text-to-image", "ada_norm_zero"),
        .text("transformer/config.json", pointer, .badData, "transformer/config.json", "Git LFS pointer"),
        .text(
            "transformer/diffusion_pytorch_model.safetensors", pointer, .badData, "Git LFS pointer", "git lfs pull"),
        .text(
            "vae/config.json", #"{"_class_name": "AutoencoderKL", "latent_channels": 16}"#, .badData,
            "vae/config.json", "latent_channels is 16", "in_channels", "transformer/config.json is 4"),
        .text(
            "vae/config.json", #"{"_class_name": "VQModel"}"#, .badData, "vae/config.json", "VQModel",
            "AutoencoderKL and AutoencoderTiny"),
        .text("vae/config.json", pointer, .badData, "vae/config.json", "Git LFS pointer"),
        .text(
            "scheduler/scheduler_config.json", pointer, .badData, "scheduler_config.json", "Git LFS pointer"),
        Spoilt("no transformer", .missingInput, "transformer/config.json", "no such file", "fetch") {
            try $0.remove("transformer")
        },
        Spoilt("no decoder", .missingInput, "vae/config.json", "AutoencoderKL", "fetch") { try $0.remove("vae") },
        Spoilt("no scheduler", .missingInput, "scheduler_config.json", "DDIMScheduler", "fetch") {
            try $0.remove("scheduler")
        },
        Spoilt("no index", .missingInput, "model_index.json", "/transformer") { try $0.remove("model_index.json") },
        Spoilt("pickled weights", .missingInput, "diffusion_pytorch_model.bin", "Scripts/convert.py") {
            try $0.remove("transformer/diffusion_pytorch_model.safetensors")
            try $0.write(Data([0x50, 0x4B, 3, 4]), to: "transformer/diffusion_pytorch_model.bin")
        },
        Spoilt("a missing shard", .missingInput, "index.json", "model-00002-of-00002.safetensors is missing") {
            try $0.remove("transformer/diffusion_pytorch_model.safetensors")
            let index = #"{"weight_map": {"proj_out_1.bias": "model-00002-of-00002.safetensors"}}"#
            try $0.write(Data(index.utf8), to: "transformer/model.safetensors.index.json")
        },
    ]

    @Test(arguments: spoilt)
    func `a directory that cannot be used is named with what to do`(spoilt: Spoilt) throws {
        let pipeline = try TinyPipeline()
        try pipeline.write()
        try spoilt.spoil(pipeline)
        let error = try #require(throws: (any Error).self) { try ModelDirectory(path: pipeline.path) }
        #expect(Self.kind(error) == spoilt.kind, "\(error)")
        for text in spoilt.texts { #expect("\(error)".contains(text), "'\(text)' in: \(error)") }
        #expect(!"\(error)".contains("\n"))
    }

    @Test func `a directory with nothing but a checkpoint says how to convert it`() throws {
        let folder = try TinyPipeline()
        try folder.write(Data([0x50, 0x4B, 3, 4]), to: "DiT-XL-2-256x256.pt")
        let error = try #require(throws: PipelineError.self) { try ModelDirectory(path: folder.path) }
        #expect("\(error)".contains("python3 Scripts/convert.py \(folder.path)/DiT-XL-2-256x256.pt"), "\(error)")
    }

    @Test(arguments: [("a b/DiT.pt", "convert.py 'a b/DiT.pt' "), ("it's.pt", #"convert.py 'it'\''s.pt' "#)])
    func `the command is one that a shell takes`(path: String, says: String) {
        #expect(PickledCheckpoint.advice(converting: path).contains(says))
    }

    @Test func `a checkpoint given as the model says how to convert it, and pipelines are models`() throws {
        let pipeline = try TinyPipeline()
        try pipeline.write()
        try pipeline.write(Data([0x50, 0x4B, 3, 4]), to: "SiT-XL-2-256.pt")
        let locator = ModelLocator(environment: ["OMNICACHE_MODELS": pipeline.folder], executable: "/x")
        #expect(try locator.locate("tiny-pipeline") == pipeline.path)
        #expect(try locator.locate(nil) == pipeline.path)
        #expect(locator.installed("tiny-pipeline") == pipeline.path)
        #expect(locator.installed("other") == nil && locator.installed("../tiny-pipeline") == nil)
        let file = pipeline.path + "/SiT-XL-2-256.pt"
        #expect {
            try locator.locate(file)
        } throws: { error in
            "\(error)".contains("python3 Scripts/convert.py \(file)") && Self.kind(error) == .badData
        }
        let weights = pipeline.path + "/transformer/diffusion_pytorch_model.safetensors"
        #expect { try locator.locate(weights) } throws: { "\($0)".contains("give the directory") }
    }

    private static func kind(_ error: any Error) -> FailureKind? {
        switch error {
        case let error as ModelError: error.kind
        case let error as SafetensorsError: error.kind
        case PipelineError.badData: .badData
        case PipelineError.missingInput: .missingInput
        default: nil
        }
    }
}
