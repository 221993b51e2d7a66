import Compute
import Foundation
import Media
import Models
import Reports
import Testing

/// Making an image again, and from noise and latents in files.
@Suite struct LikeTests {
    @Test(arguments: [
        ["--eta", "0.7"], ["--sampler", "ddpm", "--variance", "learned_range"], ["--sampler", "heun"],
        ["--sampler", "dpm++2m", "--clip", "1.5", "--spacing", "trailing"],
        ["--count", "5", "--class", "all", "--grid", "2", "--cfg-scale", "1.25"],
    ])
    func `--like reproduces an image byte for byte`(options: [String]) throws {
        let place = try Workplace()
        try place.start(place.sampling(options + ["--seed", "11", "--steps", "4", "-o", "a.png"])).wait()
            .expectSuccess()
        try place.sample("--like", "a.png", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
    }

    @Test func `--like finds its own image under the default name and leaves it`() throws {
        let place = try Workplace()
        for options in [["--class", "2"], ["--count", "2", "--grid", "2"]] {
            let made = try place.start(place.sampling(["--seed", "3"] + options)).wait()
            let again = try place.sample("--like", made.outputLines[0], "--log", "json")
            #expect(again.outputText.contains(#""skipped":true"#))
        }
        #expect(place.files == ["grid-3.png", "hermit-crab-3.png"])
    }

    @Test func `options beside --like win, and the others stay`() throws {
        let place = try Workplace()
        let base = ["--class", "2", "--eta", "1", "--cfg-scale", "2"]
        try place.start(place.sampling(base + ["--seed", "3", "-o", "a.png"])).wait().expectSuccess()
        try place.sample("--like", "a.png", "--seed", "4", "--steps", "3", "-o", "b.png").expectSuccess()
        try place.start(place.sampling(base + ["--seed", "4", "--steps", "3", "-o", "c.png"])).wait().expectSuccess()
        #expect(try place.bytes("b.png") == place.bytes("c.png"))
    }

    @Test func `a grid with another seed keeps its classes`() throws {
        let place = try Workplace()
        try place.sample("--seed", "3", "--class", "2,0,1", "--grid", "2", "-o", "a.png").expectSuccess()
        try place.sample("--like", "a.png", "--seed", "9", "-o", "b.png").expectSuccess()
        try place.sample("--seed", "9", "--class", "2,0,1", "--grid", "2", "-o", "c.png").expectSuccess()
        #expect(try place.bytes("b.png") == place.bytes("c.png"))
    }

    @Test func `an image that started from a file needs that file again`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--class", "0", "--save-latents", "noise.safetensors").expectSuccess()
        try place.sample("--seed", "2", "--class", "0", "--save-latents", "other.safetensors").expectSuccess()
        try place.sample("--init-noise", "noise.safetensors", "--seed", "5", "-o", "a.png").expectSuccess()
        try place.sample("--like", "a.png", "-o", "b.png").expectFailure(64, "--init-noise")
        try place.sample("--like", "a.png", "--init-noise", "other.safetensors", "-o", "b.png")
            .expectFailure(64, "--init-noise")
        try place.sample("--like", "a.png", "--init-noise", "noise.safetensors", "-o", "b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
    }

    @Test func `--like refuses another model, other files and files that are not there`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", "a.png").expectSuccess()
        try place.run("--like", "a.png", "-o", "b.png").expectFailure(65, "--like", "--model")
        try place.write("no image".utf8, to: "garbage")
        try place.sample("--like", "garbage").expectFailure(65, "--like garbage")
        try place.sample("--like", "missing.png").expectFailure(66, "--like missing.png")
        #expect(place.files == ["a.png", "garbage"])
    }

    @Test func `initial noise from a file makes the same image whatever the seed`() throws {
        let place = try Workplace()
        try place.write(SafetensorsWriter.bytes([("noise", Tensor([1, 3, 4, 4]))]), to: "zeros.safetensors")
        for seed in ["1", "2"] {
            try place.sample(
                "--init-noise", "zeros.safetensors", "--class", "0", "--seed", seed, "-o", "{seed}.png"
            ).expectSuccess()
        }
        let images = try ["1.png", "2.png"].map { try PNGReader.decode([UInt8](place.bytes($0))) }
        #expect(images[0] == images[1])
    }

    @Test func `initial noise of another shape is refused with both shapes`() throws {
        let place = try Workplace()
        try place.write(SafetensorsWriter.bytes([("noise", Tensor([3, 4, 5]))]), to: "noise.safetensors")
        try place.sample("--seed", "1", "--init-noise", "noise.safetensors")
            .expectFailure(65, "[3, 4, 5]", "[3, 4, 4]")
        try place.sample("--seed", "1", "--init-noise", "missing.safetensors")
            .expectFailure(66, "missing.safetensors")
        #expect(place.files == ["noise.safetensors"])
    }

    @Test func `saved latents are the image before rounding`() throws {
        let place = try Workplace()
        try place.sample("--seed", "6", "--class", "1", "--save-latents", "latents.safetensors").expectSuccess()
        let image = try PNGReader.decode([UInt8](place.bytes("owl-6.png")))
        let latents = try SafetensorsFile(path: "\(place.path)/latents.safetensors").tensor(
            "latents", shape: [3, 4, 4])
        for channel in 0..<3 {
            for pixel in 0..<16 {
                let value = min(max((latents.values[channel * 16 + pixel] + 1) * 127.5, 0), 255)
                #expect(abs(value - Float(image.pixels[pixel * 3 + channel])) <= 0.501)
            }
        }
    }

    @Test func `latents are made again when they are missing, and never over another file`() throws {
        let place = try Workplace()
        let latents = "l.safetensors"
        try place.sample("--seed", "6", "--class", "1", "--save-latents", latents).expectSuccess()
        let first = try place.bytes(latents)
        try FileManager.default.removeItem(atPath: "\(place.path)/\(latents)")
        try place.sample("--seed", "6", "--class", "1", "--save-latents", latents).expectSuccess()
        #expect(try place.bytes(latents) == first)
        try place.sample("--seed", "7", "--class", "1", "--save-latents", latents)
            .expectFailure(73, latents, "--force")
        #expect(try place.bytes(latents) == first)
        #expect(place.files == [latents, "owl-6.png"])
    }

    @Test func `a model whose latents are not pixels gives latents, and says so before sampling`() throws {
        let place = try Workplace(model: TinyModel(channels: 4))
        try place.sample("--seed", "1", "--steps", "1000").expectFailure(64, "4 channels", "--save-latents")
        let result = try place.sample("--seed", "1", "--save-latents", "l.safetensors")
        result.expectSuccess()
        #expect(result.outputLines == ["l.safetensors"] && place.files == ["l.safetensors"])
    }
}
