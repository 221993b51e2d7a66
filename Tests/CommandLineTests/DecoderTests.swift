import Compute
import Foundation
import Media
import Models
import Reports
import Testing

/// Models of latents: decoders, previews and guided channels.
@Suite struct DecoderTests {
    private static let golden = "\(Installation.repository)/Tests/ModelsTests/Golden"

    private let place: Workplace

    /// A model of latents with both decoders in its directory.
    init() throws {
        place = try Workplace(model: TinyModel(channels: 4))
        for (part, name) in [("vae", "kl"), ("vae_tiny", "tiny")] {
            try FileManager.default.copyItem(atPath: "\(Self.golden)/\(name)", toPath: "\(place.modelPath)/\(part)")
        }
    }

    private func image(_ name: String) throws -> Image {
        try PNGReader.decode([UInt8](place.bytes(name)))
    }

    @Test(arguments: [("vae", "kl", 8), ("tiny", "tiny", 16)])
    func `the picture is the decoded latents, rounded`(choice: String, golden: String, side: Int) throws {
        try place.sample(
            "--seed", "1", "--class", "1", "--decoder", choice, "-o", "a.png", "--save-latents", "a.safetensors"
        ).expectSuccess()
        let file = try SafetensorsFile(path: "\(place.path)/a.safetensors")
        let latents = try file.tensor(try #require(file.entries.first).name)
        let folder = "\(Self.golden)/\(golden)"
        let decoder = try AutoencoderConfig(directory: folder).load(from: WeightArchive(directory: folder))
        let planes = decoder.decode(latents, workers: Workers(count: 1))
        #expect(planes.shape == [3, side, side])
        let expected = withExtendedLifetime(planes) {
            Image(
                planar: UnsafeBufferPointer(planes.values), width: side, height: side, channels: 3, range: -1...1)
        }
        #expect(try image("a.png") == expected)
    }

    @Test func `a decoder in another place draws the same picture`() throws {
        try place.sample("--seed", "1", "--class", "1", "-o", "a.png").expectSuccess()
        try place.sample("--seed", "1", "--class", "1", "--decoder", "\(Self.golden)/kl", "-o", "b.png")
            .expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
    }

    @Test func `--like wants the decoder that drew the image`() throws {
        try place.sample("--seed", "1", "--class", "1", "--decoder", "tiny", "-o", "a.png").expectSuccess()
        try place.sample("--like", "a.png", "-o", "b.png").expectFailure(65, "AutoencoderTiny", "--decoder")
        try place.sample("--like", "a.png", "--decoder", "tiny", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        try place.sample("--seed", "1", "--class", "1", "-o", "a.png").expectFailure(73, "another file")
    }

    @Test func `decoders that are not there or do not fit are named`() throws {
        try place.sample("--decoder", "nowhere").expectFailure(66, "nowhere", "AutoencoderKL")
        try FileManager.default.removeItem(atPath: "\(place.modelPath)/vae_tiny")
        try place.sample("--decoder", "tiny").expectFailure(66, "vae_tiny")
        try FileManager.default.removeItem(atPath: "\(place.modelPath)/vae")
        try place.sample("--seed", "1").expectFailure(64, "4 channels", "--decoder", "--save-latents")
        try place.sample("--seed", "1", "--save-latents", "a.safetensors").expectSuccess()
        let pixels = try Workplace()
        try pixels.sample("--decoder", "\(Self.golden)/kl").expectFailure(65, "latent_channels is 4", "is 3")
    }

    @Test func `a preview stands beside the image while it is made, and is gone afterwards`() throws {
        let options = ["--seed", "1", "--class", "1", "--steps", "1000", "-o", "a.png", "--preview-every", "1"]
        let command = try place.start(place.sampling(options))
        try wait { place.files.contains("a.preview.png") }
        #expect(try command.wait().status == 0)
        #expect(place.files == ["a.png"])
        try place.sample("--seed", "1", "--class", "1", "--steps", "1000", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        // One that is never due is not made, and what has its name is not touched.
        try place.write("mine".utf8, to: "c.preview.png")
        try place.sample("--seed", "1", "-o", "c.png", "--preview-every", "1000").expectSuccess()
        #expect(try place.bytes("c.preview.png") == Data("mine".utf8))
        try place.sample("--preview-every", "0").expectFailure(64, "--preview-every")
        try place.sample("--preview-every", "1", "-o", "-").expectFailure(64, "--preview-every")
    }

    @Test func `how many channels are guided is part of the image`() throws {
        func latents(_ name: String, _ options: String...) throws -> Data {
            let file = "\(name).safetensors"
            let base = ["--seed", "1", "--class", "1", "--cfg-scale", "3", "-o", "\(name).png", "--save-latents", file]
            try place.start(place.sampling(base + options)).wait().expectSuccess()
            return try place.bytes(file)
        }
        let all = try latents("all")
        #expect(try latents("four", "--guided-channels", "4") == latents("again", "--guided-channels", "4"))
        #expect(try latents("three", "--guided-channels", "3") != all)
        try place.sample("--like", "three.png", "-o", "like.png").expectSuccess()
        #expect(try place.bytes("like.png") == place.bytes("three.png"))
        try place.sample("--guided-channels", "5").expectFailure(64, "4")
    }

    @Test func `the model's own number of guided channels is the default`() throws {
        var model = TinyModel(channels: 4)
        try place.sample("--seed", "1", "--guided-channels", "3", "-o", "a.png").expectSuccess()
        model.config["guidance_channels"] = 3
        try model.write(to: place.modelPath)
        try place.sample("--seed", "1", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        try place.sample("--seed", "1", "--guided-channels", "all", "-o", "c.png").expectSuccess()
        #expect(try place.bytes("a.png") != place.bytes("c.png"))
    }

    @Test func `the precision of the weights in memory changes no bit`() throws {
        for precision in ["float32", "stored"] {
            try place.run(
                "sample", "--class", "1", "--seed", "1", "--steps", "2", "--weights-precision", precision, "-o",
                "\(precision).png"
            ).expectSuccess()
        }
        #expect(try place.bytes("float32.png") == place.bytes("stored.png"))
    }
}
