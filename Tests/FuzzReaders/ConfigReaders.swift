import Evaluation
import Foundation
import FuzzHarness
import Models
import Pipeline
import TestSupport

/// The configurations of a model directory, each used as far as an image of two steps.
enum ConfigReaders {
    /// Our own `config.json`.
    static let config = Reader("config") { folder in
        let model = "\(folder)/model"
        try TinyModel().write(to: model)
        let path = "\(model)/config.json"
        return Subject(
            seeds: [try Files.read(path), Array(flow.utf8)], at: path,
            mutate: JSONMutation(words: ["\"flow\"", "\"v\"", "\"sample\"", "\"scaled_linear\"", "\"trained_betas\""])
                .mutated, command: sampling(model, folder)
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 2) }
    }

    private static let flow = """
        {"architecture": "DiT", "depth": 1, "hidden_size": 16, "num_heads": 2, "patch_size": 2, "input_size": 4,
         "in_channels": 3, "learn_sigma": true, "num_classes": 3, "mlp_ratio": 4.0, "norm_eps": 1e-6,
         "mlp_norm_eps": 1e-5, "timestep_frequency_shift": 1, "value_range": [-1, 1], "guidance_scale": 1.5,
         "guidance_channels": 3, "prediction_type": "flow", "flow_path": "linear",
         "num_train_timesteps": 1000, "shift": 1.5}
        """

    /// The `config.json` that diffusers writes.
    static let diffusersConfig = Reader("diffusers-config") { folder in
        let model = "\(folder)/model"
        try TinyModel().write(to: model)
        let path = "\(model)/config.json"
        let text = """
            {"_class_name": "DiTTransformer2DModel", "_diffusers_version": "0.42.1", "activation_fn": "gelu-approximate",
             "attention_bias": true, "attention_head_dim": 8, "dropout": 0.0, "in_channels": 3,
             "norm_elementwise_affine": false, "norm_eps": 1e-05, "norm_num_groups": 32, "norm_type": "ada_norm_zero",
             "num_attention_heads": 2, "num_embeds_ada_norm": 3, "num_layers": 1, "out_channels": 6, "patch_size": 2,
             "sample_size": 4, "upcast_attention": false, "class_names": ["a", "b", "c"], "guidance_scale": 4.0}
            """
        return Subject(
            seeds: [Array(text.utf8)], at: path,
            mutate: JSONMutation(words: ["\"Transformer2DModel\"", "\"UNet2DModel\"", "\"architectures\"", "[\"a\"]"])
                .mutated, command: ["info", model]
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 2) }
    }

    /// The `config.json` of a PixArt.
    static let pixartConfig = randomNetwork(
        "pixart-config", words: ["\"Transformer2DModel\"", "\"ada_norm_zero\"", "1e-300", "32", "64"],
        [
            """
            {"_class_name": "PixArtTransformer2DModel", "_diffusers_version": "0.42.1", "activation_fn": "gelu-approximate",
             "attention_bias": true, "attention_head_dim": 12, "attention_type": "default", "caption_channels": 6,
             "cross_attention_dim": 24, "in_channels": 3, "interpolation_scale": 0.5, "norm_elementwise_affine": false,
             "norm_eps": 1e-06, "norm_type": "ada_norm_single", "num_attention_heads": 2, "num_layers": 1,
             "out_channels": 6, "patch_size": 2, "sample_size": 4, "use_additional_conditions": true,
             "prompt_tokens": 9, "latent_height": 6, "latent_width": 4, "guidance_scale": 4.5}
            """
        ])

    /// The `config.json` of a Latte, of classes and of prompts.
    static let latteConfig = randomNetwork(
        "latte-config", words: ["\"DiT\"", "\"ada_norm_zero\"", "0", "3", "1000"],
        [
            """
            {"architecture": "Latte", "depth": 2, "hidden_size": 16, "num_heads": 2, "patch_size": 2, "input_size": 4,
             "in_channels": 3, "num_frames": 3, "num_classes": 2, "learn_sigma": true, "class_names": ["a", "b"],
             "prediction_type": "sample", "num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 0.0001,
             "beta_end": 0.02, "value_range": [-1, 1], "guidance_scale": 1.5, "frames_per_second": 8}
            """,
            """
            {"_class_name": "LatteTransformer3DModel", "_diffusers_version": "0.42.1", "activation_fn": "gelu-approximate",
             "attention_bias": true, "attention_head_dim": 12, "caption_channels": 6, "cross_attention_dim": 24,
             "in_channels": 3, "norm_elementwise_affine": false, "norm_eps": 1e-06, "norm_type": "ada_norm_single",
             "num_attention_heads": 2, "num_layers": 1, "out_channels": 6, "patch_size": 2, "sample_size": 4,
             "video_length": 3}
            """,
        ])

    /// A `config.json` whose network is drawn from with random weights, as it needs more files than this one.
    private static func randomNetwork(_ name: String, words: [String], _ seeds: [String]) -> Reader {
        Reader(name) { folder in
            let path = "\(folder)/config.json"
            return Subject(
                seeds: seeds.map { Array($0.utf8) }, at: path, mutate: JSONMutation(words: words).mutated
            ) {
                let config = try NetworkFamily.all.configuration(in: JSONFile(path: path))
                try TinyRun.forward(config)
            }
        }
    }

    /// The `model_index.json` of a pipeline.
    static let pipelineIndex = Reader("pipeline-index") { folder in
        let model = "\(folder)/model"
        var tiny = TinyModel()
        tiny.config["prediction_type"] = nil
        try tiny.write(to: "\(model)/transformer")
        try Files.write(ddim, to: "\(model)/scheduler/scheduler_config.json")
        let text = """
            {"_class_name": "DiTPipeline", "_diffusers_version": "0.42.1",
             "id2label": {"0": "tench, Tinca tinca", "1": "crane", "2": "crane, hoist"},
             "scheduler": ["diffusers", "DDIMScheduler"], "transformer": ["diffusers", "DiTTransformer2DModel"]}
            """
        let words = [
            "\"vae\"", "\"DDPMScheduler\"", "[null, null]", "[\"a\", \"b\"]", "\"FluxPipeline\"", "\"id2label\"",
        ]
        return Subject(
            seeds: [Array(text.utf8)], at: "\(model)/model_index.json", mutate: JSONMutation(words: words).mutated,
            command: ["info", model]
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 2) }
    }

    private static let ddim = """
        {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.0001, "beta_end": 0.02,
         "clip_sample": false, "clip_sample_range": 1.0, "num_train_timesteps": 1000, "prediction_type": "epsilon",
         "set_alpha_to_one": true, "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": null,
         "thresholding": false, "rescale_betas_zero_snr": false, "sample_max_value": 1.0,
         "dynamic_thresholding_ratio": 0.995}
        """

    /// Classes that are read; with a clipped, a second-order and a flow's sampler among them.
    private static let schedulers = [
        ddim,
        """
        {"_class_name": "DDPMScheduler", "clip_sample": true, "variance_type": "learned_range",
         "trained_betas": [0.1, 0.2, 0.3, 0.4], "num_train_timesteps": 4}
        """,
        """
        {"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "solver_order": 2,
         "final_sigmas_type": "sigma_min", "beta_schedule": "squaredcos_cap_v2", "lower_order_final": true}
        """,
        #"{"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading", "final_sigmas_type": "zero"}"#,
        #"{"_class_name": "HeunDiscreteScheduler", "timestep_spacing": "leading", "prediction_type": "v_prediction"}"#,
        #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0, "num_train_timesteps": 1000}"#,
    ]

    /// A scheduler's configuration beside a network that says nothing of the process.
    static let scheduler = Reader("scheduler") { folder in
        let model = "\(folder)/model"
        var tiny = TinyModel()
        tiny.config["prediction_type"] = nil
        try tiny.write(to: model)
        let words = [
            "\"DDIMScheduler\"", "\"DDPMScheduler\"", "\"trailing\"", "\"linspace\"", "\"leading\"", "\"sample\"",
            "\"fixed_large\"", "[0.999, 0.999]", "[0]", "1001", "\"beta_end\"",
        ]
        return Subject(
            seeds: schedulers.map { Array($0.utf8) }, at: "\(model)/scheduler/scheduler_config.json",
            mutate: JSONMutation(words: words).mutated, command: sampling(model, folder)
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 3) }
    }

    /// The configuration of a decoder, which a model checks when it is opened.
    static let decoder = Reader("decoder-config") { folder in
        let model = "\(folder)/model"
        try TinyModel(channels: 4).write(to: model)
        let seeds = [
            """
            {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
             "DownEncoderBlock2D"], "in_channels": 3, "latent_channels": 4, "latents_mean": null,
             "layers_per_block": 2, "mid_block_add_attention": true, "norm_num_groups": 32, "out_channels": 3,
             "sample_size": [256, 256], "scaling_factor": 0.18215, "shift_factor": null,
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
             "use_post_quant_conv": true}
            """,
            #"{"_class_name": "AutoencoderTiny", "latent_channels": 4, "scaling_factor": 1.0, "shift_factor": 0.0}"#,
        ]
        return Subject(
            seeds: seeds.map { Array($0.utf8) }, at: "\(model)/vae/config.json",
            mutate: JSONMutation(words: ["\"relu\"", "\"up_block_types\"", "[64, 64, 64, 64]", "[3, 3, 3, 1]"]).mutated,
            command: ["info", model]
        ) { _ = try ModelDirectory(path: model) }
    }

    /// The arguments that sample two steps of a model.
    private static func sampling(_ model: String, _ folder: String) -> [String] {
        [
            "sample", "--model", model, "--steps", "2", "--class", "0", "--seed", "1", "--threads", "1", "--force",
            "--output", "\(folder)/image.png",
        ]
    }
}
