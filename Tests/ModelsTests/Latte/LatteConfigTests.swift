import FoundationEssentials
import TestSupport
import Testing

@testable import Models

/// Latte's `config.json`: what is read, and what is refused.
@Suite struct LatteConfigTests {
    private static let members: [String: String] = [
        "architecture": #""Latte""#, "depth": "4", "hidden_size": "16", "num_heads": "2", "patch_size": "2",
        "input_size": "6", "in_channels": "4", "learn_sigma": "true", "num_classes": "3", "num_frames": "5",
    ]

    private func config(_ changes: [String: String?] = [:]) throws -> LatteConfig {
        let members = Self.members.merging(changes.compactMapValues(\.self)) { $1 }
            .filter { !changes.keys.contains($0.key) || changes[$0.key] != .some(nil) }
        let text = "{" + members.map { #""\#($0.key)": \#($0.value)"# }.joined(separator: ", ") + "}"
        let file = try JSONFile(bytes: Array(text.utf8), path: "config.json")
        return try #require(try NetworkFamily.all.configuration(in: file) as? LatteConfig)
    }

    @Test func `the keys are DiT's, and the number of frames`() throws {
        let config = try config()
        let frame = try DiTConfig(
            depth: 4, hiddenSize: 16, heads: 2, patchSize: 2, inputSize: 6, inChannels: 4, learnSigma: true,
            numClasses: 3)
        #expect(try config == LatteConfig(frame: frame, frames: 5))
        #expect(config.latentShape == LatentShape(channels: 4, frames: 5, height: 6, width: 6))
        #expect(config.framesPerSecond == 8)
        #expect(config.size.tokens == 45)
    }

    @Test func `without classes there is one to ask for, and no guidance`() throws {
        let config = try config(["num_classes": "0"])
        #expect(!config.isConditional)
        #expect(config.conditions.classCount == 1)
        #expect(config.classNames == ["unconditional"])
        #expect(try self.config(["num_classes": "0", "class_names": #"["sky"]"#]).classNames == ["sky"])
    }

    @Test func `what is encoded is read back as the same`() throws {
        for config in [
            try config(), try config(["num_classes": "0", "frames_per_second": "12"]),
            try config(["class_names": #"["a", "b", "c"]"#, "value_range": "[-1, 1]", "guidance_scale": "7.0"]),
        ] {
            let text = try JSONEncoder().encode(config)
            let file = try JSONFile(bytes: Array(text), path: "config.json")
            #expect(try NetworkFamily.all.configuration(in: file) as? LatteConfig == config)
        }
    }

    @Test func `a clip does not depend on names, guidance and frame rate`() throws {
        let plain = try config().conventions
        let told = try config([
            "class_names": #"["a", "b", "c"]"#, "guidance_scale": "7", "frames_per_second": "24",
        ])
        #expect(told.conventions == plain)
        #expect(try config(["num_frames": "4"]).conventions != plain)
        #expect(try config(["num_classes": "0"]).conventions != self.config(["num_classes": "1"]).conventions)
    }

    @Test(
        arguments: [
            (["depth": "3"], "depth is 3, an odd number; Latte's blocks come in pairs"),
            (["num_frames": "0"], "num_frames is 0"), (["num_frames": "2000"], "num_frames is 2000"),
            (["num_frames": nil], "the key num_frames is missing"),
            (["num_classes": "-1"], "num_classes is -1"), (["num_classes": nil], "the key num_classes is missing"),
            (["input_size": "7"], "input_size 7 is not divisible by patch_size 2"),
            (["frames_per_second": "0"], "frames_per_second is 0"),
            (["num_classes": "0", "class_names": #"["a", "b"]"#], "class_names has 2 names, but num_classes is 0"),
            (["class_names": #"["a", "b"]"#], "class_names has 2 names, but num_classes is 3"),
        ] as [([String: String?], String)])
    func `what cannot be is refused with what is`(changes: [String: String?], says: String) throws {
        let error = try #require(throws: ModelError.self) { try config(changes) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.kind == .badData)
    }
}
