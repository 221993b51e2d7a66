import FoundationEssentials
import Testing

@testable import Models

@Suite struct AutoencoderConfigTests {
    private func config(_ text: String) throws(ModelError) -> AutoencoderConfig {
        try AutoencoderConfig(file: JSONFile(bytes: Array(text.utf8), path: "vae/config.json"))
    }

    private func kl(_ members: String) throws -> AutoencoderKLConfig {
        guard case .kl(let config) = try config(#"{"_class_name": "AutoencoderKL"\#(members)}"#) else {
            throw ModelError.invalidConfig(path: "", reason: "not a KL autoencoder")
        }
        return config
    }

    private func tiny(_ members: String) throws -> AutoencoderTinyConfig {
        guard case .tiny(let config) = try config(#"{"_class_name": "AutoencoderTiny"\#(members)}"#) else {
            throw ModelError.invalidConfig(path: "", reason: "not a tiny autoencoder")
        }
        return config
    }

    @Test func `the configuration of Stable Diffusion's VAE is read in full`() throws {
        let config = try kl(
            """
            , "_diffusers_version": "0.42.1", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
            "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
            "DownEncoderBlock2D"], "force_upcast": true, "in_channels": 3, "latent_channels": 4, "latents_mean": null,
            "latents_std": null, "layers_per_block": 2, "mid_block_add_attention": true, "norm_num_groups": 32,
            "out_channels": 3, "sample_size": 256, "scaling_factor": 0.18215, "shift_factor": null,
            "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
            "use_post_quant_conv": true, "use_quant_conv": true
            """)
        #expect(config.blockOutChannels == [128, 256, 512, 512])
        #expect(config.layersPerBlock == 2)
        #expect(config.normGroups == 32)
        #expect(config.latentChannels == 4 && config.outChannels == 3)
        #expect(config.scalingFactor == 0.18215 && config.shiftFactor == 0)
        #expect(config.sampleSize == 256)
        #expect(config.usesPostQuantConvolution && config.hasMidBlockAttention)
        #expect(config.scale == 8)
    }

    @Test func `absent keys have the defaults of diffusers' classes`() throws {
        let config = try kl("")
        #expect(config.blockOutChannels == [64] && config.layersPerBlock == 1 && config.normGroups == 32)
        #expect(config.latentChannels == 4 && config.outChannels == 3 && config.sampleSize == 32)
        #expect(config.scalingFactor == 0.18215 && config.shiftFactor == 0 && config.scale == 1)
        #expect(config.usesPostQuantConvolution && config.hasMidBlockAttention)
        let small = try tiny("")
        #expect(small.width == 64 && small.blocks == [3, 3, 3, 1] && small.scale == 8)
        #expect(small.latentChannels == 4 && small.outChannels == 3)
        #expect(small.scalingFactor == 1 && small.shiftFactor == 0)
    }

    @Test func `a null is None: no shift, no statistics, and false for a flag`() throws {
        let nulls = #", "shift_factor": null, "latents_mean": null, "latents_std": null"#
        #expect(try kl(nulls) == kl(""))
        #expect(try tiny(#", "shift_factor": null"#) == tiny(""))
        let flags = try kl(#", "use_post_quant_conv": null, "mid_block_add_attention": null"#)
        #expect(!flags.usesPostQuantConvolution && !flags.hasMidBlockAttention)
        #expect(try kl(#", "use_post_quant_conv": 0, "layers_per_block": 1.0"#).usesPostQuantConvolution == false)
    }

    @Test func `the sides of a rectangle and the other name of SiLU are understood`() throws {
        #expect(try kl(#", "sample_size": [64, 96]"#).sampleSize == 64)
        #expect(try kl(#", "act_fn": "swish""#) == kl(""))
    }

    @Test(arguments: [
        (#""act_fn": "gelu""#, "act_fn is gelu; only silu"),
        (
            #""up_block_types": ["UpDecoderBlock2D", "AttnUpDecoderBlock2D"]"#,
            "up_block_types holds AttnUpDecoderBlock2D"
        ),
        (#""up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]"#, "up_block_types has 2 entries, but block_out"),
        (#""block_out_channels": []"#, "the number of block_out_channels is 0"),
        (#""block_out_channels": [48]"#, "block_out_channels holds 48, which is not divisible by norm_num_groups 32"),
        (#""block_out_channels": [1048576]"#, "block_out_channels is 1048576, not in 1...8192"),
        (#""block_out_channels": 64"#, "block_out_channels is 64, not a list (each element a whole number)"),
        (#""block_out_channels": [64, null]"#, "block_out_channels is a list with null at 1"),
        (#""norm_num_groups": 0"#, "norm_num_groups is 0"),
        (#""norm_num_groups": 2.5"#, "norm_num_groups is 2.5, not a whole number"),
        (#""layers_per_block": -1"#, "layers_per_block is -1"),
        (#""latent_channels": 0"#, "latent_channels is 0"),
        (#""out_channels": 4"#, "out_channels is 4; only 1 and 3 are supported"),
        (#""scaling_factor": 0"#, "scaling_factor is 0.0, not a positive number"),
        (#""scaling_factor": 1e-60"#, "scaling_factor is 1e-60, not a positive number"),
        (#""shift_factor": 1e60"#, "shift_factor is 1e+60, not a finite number"),
        (#""latents_mean": [0, 0, 0, 0]"#, "latents_mean is given; only null is supported"),
        (#""latents_std": [1, 1, 1, 1]"#, "latents_std is given; only null is supported"),
        (#""sample_size": "large""#, "sample_size is the text 'large', not a whole number"),
        (#""use_post_quant_conv": 2"#, "use_post_quant_conv is 2, not true or false"),
        (#""scaling_factor": null"#, "scaling_factor is null, not a finite number"),
        (#""scaling_factor": NaN"#, "scaling_factor is NaN, not a finite number"),
        (#""norm_num_groups": null"#, "norm_num_groups is null, not a whole number"),
        (#""up_block_types": null"#, "up_block_types is null, not a list"),
        (#""act_fn": null"#, "act_fn is null, not a text"),
        (#""sample_size": null"#, "sample_size is null, not a whole number"),
        (#""latent_channels": null"#, "latent_channels is null, not a whole number"),
        (#""mid_block_add_attention": "no""#, "mid_block_add_attention is the text 'no', not true or false"),
    ])
    func `what a KL autoencoder cannot have is refused by its key`(member: String, says: String) throws {
        let error = try #require(throws: ModelError.self) { try kl(", " + member) }
        #expect(error.description.hasPrefix("vae/config.json: "))
        #expect(error.description.contains(says), "\(error)")
        #expect(error.kind == .badData)
    }

    @Test(arguments: [
        (#""act_fn": "silu""#, "act_fn is silu; only relu is supported"),
        (#""upsample_fn": "bilinear""#, "upsample_fn is bilinear; only nearest is supported"),
        (#""act_fn": null"#, "act_fn is null, not a text"),
        (#""num_decoder_blocks": null"#, "num_decoder_blocks is null, not a list"),
        (#""scaling_factor": null"#, "scaling_factor is null, not a finite number"),
        (#""upsampling_scaling_factor": null"#, "upsampling_scaling_factor is null, not a whole number"),
        (#""upsampling_scaling_factor": 4"#, "upsampling_scaling_factor is 4; only 2 is supported"),
        (
            #""decoder_block_out_channels": [64, 64, 64, 32]"#,
            "decoder_block_out_channels is [64, 64, 64, 32]; only equal"
        ),
        (
            #""decoder_block_out_channels": [64]"#,
            "decoder_block_out_channels has 1 entries, but num_decoder_blocks has 4"
        ),
        (#""num_decoder_blocks": [], "decoder_block_out_channels": []"#, "the number of num_decoder_blocks is 0"),
        (#""num_decoder_blocks": [3, 3, -1, 1]"#, "num_decoder_blocks is -1"),
        (#""latent_channels": 9999"#, "latent_channels is 9999, not in 1...1024"),
        (#""out_channels": 2"#, "out_channels is 2; only 1 and 3 are supported"),
        (#""scaling_factor": -1"#, "scaling_factor is -1.0, not a positive number"),
    ])
    func `what a tiny autoencoder cannot have is refused by its key`(member: String, says: String) throws {
        let error = try #require(throws: ModelError.self) { try tiny(", " + member) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.kind == .badData)
    }

    @Test func `another class is named`() throws {
        let error = try #require(throws: ModelError.self) { try config(#"{"_class_name": "VQModel"}"#) }
        #expect(
            error.description.contains("_class_name is VQModel; only AutoencoderKL and AutoencoderTiny"), "\(error)")
        let unnamed = try #require(throws: ModelError.self) { try config("{}") }
        #expect(unnamed.description.contains("the key _class_name is missing"), "\(unnamed)")
        let missing = try #require(throws: ModelError.self) { try AutoencoderConfig(directory: "nowhere") }
        #expect(missing.kind == .missingInput)
    }
}
