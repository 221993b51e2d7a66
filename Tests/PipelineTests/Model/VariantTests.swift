import Compute
import Foundation
import Models
import PipelineSupport
import Testing

@testable import Pipeline

/// Pipelines whose weights come in variants, as `save_pretrained(variant=…)` writes them.
@Suite struct VariantTests {
    private let pipeline: TinyPipeline
    private static let plain = "diffusion_pytorch_model.safetensors"
    private static let half = "diffusion_pytorch_model.fp16.safetensors"

    init() throws {
        pipeline = try TinyPipeline()
        try pipeline.write()
    }

    private func open(_ variant: String? = nil) throws -> ModelDirectory {
        try ModelDirectory(path: pipeline.path, variant: variant)
    }

    private func copyNetwork(to name: String) throws {
        let url = URL(filePath: "\(pipeline.path)/transformer/\(Self.plain)")
        try pipeline.write(Data(contentsOf: url), to: "transformer/\(name)")
    }

    /// Puts weights of one number into a decoder's folder.
    private func writeDecoder(_ value: Float, to name: String) throws {
        try pipeline.write(
            Data(SafetensorsWriter.bytes([("x", Tensor([value], shape: [1]))])), to: "vae/\(name)")
    }

    @Test func `every part is read in the variant that is asked for, and without where it lacks it`() throws {
        try copyNetwork(to: Self.half)
        try writeDecoder(1, to: Self.plain)
        let decoder = try #require(try open("fp16").decoder(.own)).reference()
        #expect(try open().archive.files.map(\.path) == ["\(pipeline.path)/transformer/\(Self.plain)"])
        #expect(try open("fp16").archive.files.map(\.path) == ["\(pipeline.path)/transformer/\(Self.half)"])
        #expect(try open().decoder(.own)?.reference() == decoder)
        try writeDecoder(2, to: Self.half)
        #expect(try open().decoder(.own)?.reference() == decoder)
        #expect(try open("fp16").decoder(.own)?.reference() != decoder)
    }

    @Test func `a variant that no part has is missing input, and those that there are are named`() throws {
        try writeDecoder(1, to: Self.half)
        #expect(
            throws: SafetensorsError.noSuchVariant(directory: pipeline.path, variant: "bf16", found: ["fp16"])
        ) { try open("bf16") }
        #expect(try open("fp16").archive.variant == nil, "the decoder has it")
    }

    @Test func `the only variant is the model, with the hash of its own files`() throws {
        let plain = try open().reference().hash
        try copyNetwork(to: "diffusion_pytorch_model.ema.safetensors")
        try pipeline.remove("transformer/\(Self.plain)")
        #expect(try open().archive.variant == "ema")
        #expect(try open().reference().hash == plain)
        let network = try #require(try open("ema").load() as? DiT)
        #expect(try network.config == open().config as? DiTConfig)
    }

    @Test func `wrapped names are told when a model is opened, with the whole pipeline to convert`() throws {
        let names = ["module.pos_embed.proj.weight", "module.transformer_blocks.0.norm1.linear.weight"]
        let weights = SafetensorsWriter.bytes(names.map { ($0, Tensor([1], shape: [1])) })
        try pipeline.write(Data(weights), to: "transformer/\(Self.plain)")
        let error = try #require(throws: ModelError.self) { try open() }
        #expect("\(error)".contains("python3 Scripts/convert.py \(pipeline.path) NEW-DIRECTORY"), "\(error)")
        #expect(error.kind == .badData)
    }
}
