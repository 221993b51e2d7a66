import Foundation
import Media
import Reports
import Testing

/// The same request makes the same bytes, however it is carried out.
@Suite struct SameBytesTests {
    @Test func `the embedded model draws an image without any option but the steps`() throws {
        let place = try Workplace()
        let result = try place.run("sample", "--steps", "2")
        #expect(result.status == 0)
        let name = try #require(result.outputLines.first)
        #expect(result.outputLines == [name] && place.files == [name])
        let image = try PNGReader.decode([UInt8](place.bytes(name)))
        #expect(image.width == 64 && image.height == 64 && image.channels == 3)
        let seed = try #require(result.errorLines.first?.split(separator: "seed ").first)
        #expect(name.hasSuffix("-\(seed).png"), "the drawn seed is printed, and in the name")
    }

    @Test func `sample is what omnicache does without a command`() throws {
        let (place, other) = (try Workplace(), try Workplace())
        try place.run("--model", place.modelPath, "--steps", "2", "--seed", "5").expectSuccess()
        try other.sample("--seed", "5").expectSuccess()
        #expect(place.files == other.files)
        #expect(try place.bytes(place.files[0]) == other.bytes(other.files[0]))
    }

    @Test(arguments: ["ddim", "ddpm", "dpm++2m", "euler", "heun"])
    func `threads change no byte`(sampler: String) throws {
        let place = try Workplace()
        for threads in ["1", "2", "3"] {
            try place.run(
                "--steps", "2", "--seed", "3", "--class", "7", "--sampler", sampler, "-t", threads, "-o",
                "\(threads).png"
            ).expectSuccess()
        }
        #expect(try place.bytes("1.png") == place.bytes("2.png"))
        #expect(try place.bytes("1.png") == place.bytes("3.png"))
    }

    @Test(arguments: [["--eta", "1"], ["--sampler", "ddpm"], ["--sampler", "dpm++2m"]])
    func `image i of a run is the image of seed S + i alone`(options: [String]) throws {
        let (together, alone) = (try Workplace(), try Workplace())
        let run = together.sampling(options + ["--seed", "40", "--count", "4", "--class", "2,0"])
        try together.start(run).wait().expectSuccess()
        for (index, classID) in [2, 0, 2, 0].enumerated() {
            let single = alone.sampling(options + ["--seed", "\(40 + index)", "--class", "\(classID)"])
            try alone.start(single).wait().expectSuccess()
        }
        #expect(together.files == ["hermit-crab-40.png", "hermit-crab-42.png", "red-fox-41.png", "red-fox-43.png"])
        #expect(together.files == alone.files)
        for name in together.files { #expect(try together.bytes(name) == alone.bytes(name)) }
    }

    @Test func `an image alone is its place in the grid`() throws {
        let place = try Workplace()
        try place.sample("--seed", "9", "--count", "5", "--class", "all", "--grid", "3").expectSuccess()
        let grid = try PNGReader.decode([UInt8](place.bytes("grid-9.png")))
        #expect(grid.width == 2 + 3 * 6 && grid.height == 2 + 2 * 6)
        try place.sample("--seed", "9", "--count", "5", "--class", "all", "-o", "{index}.png").expectSuccess()
        for index in 0..<5 {
            let image = try PNGReader.decode([UInt8](place.bytes("00000\(index).png")))
            for y in 0..<4 {
                let start = ((2 + index / 3 * 6 + y) * grid.width + 2 + index % 3 * 6) * 3
                #expect(Array(grid.pixels[start..<start + 12]) == Array(image.pixels[y * 12..<y * 12 + 12]))
            }
        }
    }

    @Test func `other seeds and other classes make other images`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--count", "2", "--class", "0", "-o", "{class}-{seed}.ppm").expectSuccess()
        try place.sample("--seed", "1", "--class", "1", "-o", "{class}-{seed}.ppm").expectSuccess()
        let pixels = try place.files.map { try PPM.decode([UInt8](place.bytes($0))).pixels }
        #expect(Set(pixels).count == 3)
    }
}
