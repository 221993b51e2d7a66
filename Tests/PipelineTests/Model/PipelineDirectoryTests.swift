import Compute
import Foundation
import Models
import PipelineSupport
import Sampling
import Testing

@testable import Pipeline

/// Directories that diffusers' `DiTPipeline.save_pretrained` writes.
@Suite struct PipelineDirectoryTests {
    private let pipeline: TinyPipeline

    init() throws {
        pipeline = try TinyPipeline()
    }

    @Test func `a pipeline loads as it is: network, scheduler, decoder and names`() throws {
        let directory = try ModelDirectory(path: pipeline.write())
        #expect(directory.name == "tiny-pipeline")
        #expect(directory.path == pipeline.path)
        #expect(directory.networkDirectory == pipeline.path + "/transformer")
        #expect(directory.vaeDirectory == pipeline.path + "/vae")
        #expect(directory.tinyDirectory == nil)
        #expect(directory.latentShape.channels == 4)
        #expect(directory.config.hasVariance)
        #expect(directory.process == (try DiffusionProcess(.epsilon, betas: .scaledLinear(start: 0.0001, end: 0.02))))
        let settings = directory.defaultSettings
        #expect(settings.sampler == SamplerOptions(.ddim, spacing: .leading, stepsOffset: 1))
        #expect(settings.steps == 50)
        #expect(settings.guidanceScale == 4)
        #expect(directory.classes.names == ["tench, Tinca tinca", "crane", "crane, hoist"])
        #expect(try #require(try directory.load() as? DiT).config == directory.config as? DiTConfig)
    }

    @Test func `without a scheduler the official DiT's process and sampler stand in`() throws {
        pipeline.texts["model_index.json"] = #"{"_class_name": "DiTPipeline", "scheduler": [null, null]}"#
        pipeline.texts["scheduler/scheduler_config.json"] = .some(nil)
        let directory = try ModelDirectory(path: pipeline.write())
        #expect(directory.process == (try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))))
        #expect(directory.defaultSettings.sampler == SamplerOptions())
        #expect(directory.classes.names == ["class 0", "class 1", "class 2"])
    }

    @Test func `the index's scheduler class counts, with its own defaults for absent keys`() throws {
        pipeline.texts["model_index.json"] =
            #"{"_class_name": "DiTPipeline", "scheduler": ["diffusers", "DPMSolverMultistepScheduler"]}"#
        let directory = try ModelDirectory(path: pipeline.write())
        #expect(directory.defaultSettings.sampler == SamplerOptions(.dpmSolver, spacing: .linspace))
    }

    @Test func `the scheduler's process is part of the model's identity, the sampler is not`() throws {
        func identity(_ scheduler: String) throws -> ImageRecord.Model {
            pipeline.texts["scheduler/scheduler_config.json"] = scheduler
            return try ModelDirectory(path: pipeline.write()).reference()
        }
        let base = try identity("{}")
        #expect(base.isSame(as: try identity(#"{"clip_sample": false, "timestep_spacing": "trailing"}"#)))
        #expect(!base.isSame(as: try identity(#"{"prediction_type": "v_prediction"}"#)))
        #expect(!base.isSame(as: try identity(#"{"beta_end": 0.012}"#)))
    }

    @Test func `the transformer's directory alone loads too, without names and decoder`() throws {
        let directory = try ModelDirectory(path: pipeline.write() + "/transformer")
        #expect(directory.name == "transformer")
        #expect(directory.vaeDirectory == nil)
        #expect(directory.defaultSettings.sampler == SamplerOptions())
        #expect(directory.classes.names == ["class 0", "class 1", "class 2"])
    }

    @Test(arguments: [
        (#"{"0": "tench, Tinca tinca", "2": "crane"}"#, ["tench, Tinca tinca", "class 1", "crane"]),
        (#"{"1": ["crane", "hoist"]}"#, ["class 0", "crane, hoist", "class 2"]),
        (#"["a", "b, c", ["d", "e"]]"#, ["a", "b, c", "d, e"]), ("null", ["class 0", "class 1", "class 2"]),
    ])
    func `names come as an object or a list, of texts or of lists of synonyms`(
        labels: String, expected: [String]
    ) throws {
        pipeline.texts["model_index.json"] = #"{"_class_name": "DiTPipeline", "id2label": \#(labels)}"#
        #expect(try ModelDirectory(path: pipeline.write()).classes.names == expected)
    }

    @Test(
        arguments: [
            ("trailing", 50, SamplerOptions.StepRule.list, nil), ("trailing", 7, .diffusers, nil),
            ("leading", 7, .list, nil),
            ("linspace", 10, .diffusers, nil), ("trailing", 61, .diffusers, "one step more of 61 steps"),
            ("trailing", 103, .diffusers, "one step more of 103 steps"),
        ] as [(String, Int, SamplerOptions.StepRule, String?)])
    func `a scheduler's timesteps are gone through as diffusers does, and where not, that is said`(
        spacing: String, steps: Int, rule: SamplerOptions.StepRule, departure: String?
    ) throws {
        pipeline.texts["scheduler/scheduler_config.json"] =
            #"{"_class_name": "DDIMScheduler", "clip_sample": false, "timestep_spacing": "\#(spacing)"}"#
        let directory = try ModelDirectory(path: pipeline.write())
        var settings = directory.defaultSettings
        settings.steps = steps
        settings = directory.followingScheduler(settings)
        #expect(settings.sampler.stepRule == rule)
        let said = directory.departure(of: settings)
        #expect(said.map { text in departure.map(text.contains) ?? false } ?? (departure == nil), "\(said ?? "")")
    }

    @Test(
        arguments: [
            ("DDIMScheduler", SamplerKind.ddpm, nil), ("DDPMScheduler", .ddim, nil),
            ("DDIMScheduler", .dpmSolver, "does not clip"),
            ("DPMSolverMultistepScheduler", .ddim, "clips unless"), ("DDIMScheduler", .heun, nil),
            ("DPMSolverMultistepScheduler", .euler, "starts linspace spacing from noise of another scale"),
        ] as [(String, SamplerKind, String?)])
    func `a sampler that is not the scheduler's is warned of where diffusers' own would do otherwise`(
        scheduler: String, kind: SamplerKind, says: String?
    ) throws {
        pipeline.texts["model_index.json"] = #"{"_class_name": "DiTPipeline"}"#
        pipeline.texts["scheduler/scheduler_config.json"] = #"{"_class_name": "\#(scheduler)"}"#
        let directory = try ModelDirectory(path: pipeline.write())
        var settings = directory.defaultSettings
        settings.sampler = settings.sampler.changed(to: kind)
        if kind == .heun { settings.sampler.clip = nil }
        let said = directory.departure(of: directory.followingScheduler(settings))
        #expect(said.map { text in says.map(text.contains) ?? false } ?? (says == nil), "\(said ?? "nothing")")
        #expect(directory.departure(of: directory.defaultSettings) == nil)
    }

    @Test func `an image from before the rule is made again as it was, with a warning`() throws {
        pipeline.texts["scheduler/scheduler_config.json"] =
            #"{"_class_name": "DDIMScheduler", "timestep_spacing": "trailing"}"#
        let directory = try ModelDirectory(path: pipeline.write())
        let settings = SampleSettings(
            steps: 7, sampler: SamplerOptions(.ddim, spacing: .trailing, clip: 1), guidanceScale: 1)
        #expect(try #require(directory.departure(of: settings)).contains("come from an image or a plan"))
        #expect(directory.followingScheduler(settings) != settings)
    }

    // MARK: - Directories of ours

    private static let plain = """
        {"_class_name": "DiTTransformer2DModel", "num_layers": 1, "num_attention_heads": 2, "attention_head_dim": 8,
         "sample_size": 4, "out_channels": 8, "num_embeds_ada_norm": 3
        """

    @Test func `decoders and a scheduler may lie beside a network of ours`() throws {
        try pipeline.write(Data(#"{"_class_name": "AutoencoderKL"}"#.utf8), to: "vae/config.json")
        try pipeline.write(Data(#"{"_class_name": "AutoencoderTiny"}"#.utf8), to: "vae_tiny/config.json")
        let scheduler = #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3}"#
        try pipeline.write(Data(scheduler.utf8), to: "scheduler/scheduler_config.json")
        let directory = try ModelDirectory(path: pipeline.writePlain(config: Self.plain + "}"))
        #expect(directory.networkDirectory == pipeline.path)
        #expect(directory.vaeDirectory == pipeline.path + "/vae")
        #expect(directory.tinyDirectory == pipeline.path + "/vae_tiny")
        #expect(directory.process == (try DiffusionProcess(Flow(shift: 3))))
        #expect(directory.defaultSettings.sampler.kind == .euler)
    }

    @Test func `a network's config and a scheduler may say the same, but not different things`() throws {
        try pipeline.write(Data(#"{"_class_name": "DDIMScheduler"}"#.utf8), to: "scheduler/scheduler_config.json")
        let agreeing = Self.plain + #", "prediction_type": "epsilon"}"#
        #expect(try ModelDirectory(path: pipeline.writePlain(config: agreeing)).process.predictionType == .epsilon)
        let path = try pipeline.writePlain(config: Self.plain + #", "prediction_type": "v"}"#)
        let error = try #require(throws: PipelineError.self) { try ModelDirectory(path: path) }
        for text in ["config.json", "scheduler_config.json", "prediction_type", "remove"] {
            #expect("\(error)".contains(text), "\(error)")
        }
    }
}
