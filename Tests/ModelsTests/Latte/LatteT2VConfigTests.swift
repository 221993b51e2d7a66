import FoundationEssentials
import TestSupport
import Testing

@testable import Models

/// The `config.json` of a LatteT2V, as diffusers writes it.
@Suite struct LatteT2VConfigTests {
    private static let members: [String: String] = [
        "_class_name": #""LatteTransformer3DModel""#, "num_attention_heads": "2", "attention_head_dim": "12",
        "in_channels": "4", "out_channels": "8", "num_layers": "3", "cross_attention_dim": "24",
        "attention_bias": "true", "sample_size": "64", "patch_size": "2", "activation_fn": #""gelu-approximate""#,
        "norm_type": #""ada_norm_single""#, "norm_elementwise_affine": "false", "norm_eps": "1e-6",
        "caption_channels": "20", "video_length": "5",
    ]

    private func parsed(_ text: String) throws -> LatteT2VConfig {
        let file = try JSONFile(bytes: Array(text.utf8), path: "config.json")
        return try #require(try NetworkFamily.all.configuration(in: file) as? LatteT2VConfig)
    }

    private func config(_ changes: [String: String] = [:], without: String? = nil) throws -> LatteT2VConfig {
        let members = Self.members.merging(changes) { $1 }.filter { $0.key != without }
        return try parsed("{" + members.map { #""\#($0.key)": \#($0.value)"# }.joined(separator: ", ") + "}")
    }

    @Test func `the keys are those of diffusers' class`() throws {
        let config = try config()
        let frame = try PixArtConfig(
            depth: 3, heads: 2, headDimension: 12, sampleSize: 64, captionWidth: 20, guidance: 7.5, promptTokens: 120)
        #expect(try config == LatteT2VConfig(frame: frame, frames: 5))
        #expect(config.latentShape == LatentShape(channels: 4, frames: 5, height: 64, width: 64))
        #expect(config.frame.positionScale == 1 && config.size.depth == 6)
        #expect(try self.config(without: "video_length").frames == 16)
        #expect(try self.config(without: "norm_eps").frame.normEpsilon == 1e-5)
        #expect(try self.config(["sample_size": "128"]).frame.positionScale == 2)
    }

    @Test func `clips of other sizes are of whole patches`() throws {
        let wide = try config().sized(width: 704, height: 320)
        #expect(wide.latentShape == LatentShape(channels: 4, frames: 5, height: 40, width: 88))
        let error = #expect(throws: ConfigProblem.self) { try config().sized(width: 700, height: 320) }
        #expect("\(try #require(error))".contains("must be multiples of 16"))
    }

    @Test func `what is encoded is read back as the same`() throws {
        for config in [try config(), try config(["out_channels": "4"]).sized(width: 512, height: 256)] {
            let read = try parsed(String(decoding: JSONEncoder().encode(config), as: UTF8.self))
            #expect(read.latentShape == config.latentShape && read.conventions == config.conventions)
        }
    }

    @Test(arguments: [
        ("norm_type", #""layer_norm""#, "norm_type is not ada_norm_single"),
        ("activation_fn", #""geglu""#, "activation_fn is not gelu-approximate"),
        ("attention_bias", "null", "attention_bias is false; only true is supported"),
        ("norm_elementwise_affine", "true", "norm_elementwise_affine is true; only false is supported"),
        ("cross_attention_dim", "25", "cross_attention_dim is not num_attention_heads times"),
        ("out_channels", "7", "out_channels is 7; only in_channels (4) or twice as many"),
        ("video_length", "0", "video_length is 0"),
        ("sample_size", "63", "sample_size 63 is not divisible"),
    ])
    func `what is not supported is refused with what is`(key: String, value: String, says: String) throws {
        let error = try #require(throws: ModelError.self) { try config([key: value]) }
        #expect(error.description.contains(says), "\(error)")
    }

    @Test func `a decoder over time is refused, and the reason names another`() throws {
        let text = #"{"_class_name": "AutoencoderKLTemporalDecoder"}"#
        let error = try #require(throws: ModelError.self) {
            try AutoencoderConfig(file: JSONFile(bytes: Array(text.utf8), path: "config.json"))
        }
        #expect(
            error.description.contains("frames are decoded one by one, by the AutoencoderKL of the same model (vae)"))
    }
}
