import Foundation
import Media
import Reports
import Testing

/// The flow that comes with omnicache, found by its name.
@Suite(.serialized) struct EmbeddedFlowTests {
    private func draw(_ place: Workplace, _ name: String, _ arguments: [String]) throws -> [String: Any] {
        let result = try place.start(
            [
                "sample", "--model", "emoji-sit-s8", "--class", "face-smiling", "--seed", "3", "--steps", "20",
                "--log", "json", "-o", name,
            ] + arguments
        ).wait()
        #expect(result.status == 0, "\(result.errorText)")
        return try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    }

    private func picture(_ place: Workplace, _ name: String) throws -> Image {
        try PNGReader.decode([UInt8](place.bytes(name)))
    }

    /// The mean colour of a square of 8 x 8 pixels.
    private func colour(_ image: Image, x: Int, y: Int) -> [Int] {
        (0..<3).map { channel in
            (0..<64).reduce(0) { $0 + Int(image.pixels[((y + $1 / 8) * image.width + x + $1 % 8) * 3 + channel]) } / 64
        }
    }

    @Test(arguments: ["euler", "heun", "dpm++2m", "sde"])
    func `by every sampler of flows it draws a yellow face on white, and nearly the same with half of the evaluations`(
        sampler: String
    ) throws {
        let place = try Workplace()
        _ = try draw(place, "full.png", ["--sampler", sampler])
        _ = try draw(place, "one.png", ["--sampler", sampler, "--budget", "1"])
        let event = try draw(place, "half.png", ["--sampler", sampler, "--budget", "0.5"])
        let (spent, whole) = (event["evaluations"] as? Int ?? .max, event["evaluationsFull"] as? Int ?? 0)
        #expect(spent <= whole / 2)
        #expect(try place.bytes("one.png") == place.bytes("full.png"))
        let full = try picture(place, "full.png")
        #expect(colour(full, x: 0, y: 0).allSatisfy { $0 > 235 }, "white corner: \(colour(full, x: 0, y: 0))")
        let forehead = colour(full, x: 28, y: 10)
        #expect(forehead[0] > 200 && forehead[0] - forehead[2] > 80, "yellow forehead: \(forehead)")
        let psnr = try ImageMetrics.psnr(picture(place, "half.png"), full)
        #expect(psnr > 25, "\(psnr) dB")
    }

    @Test func `what it predicts is told, and samplers for models with betas are refused`() throws {
        let place = try Workplace()
        let told = try place.run("info", "emoji-sit-s8")
        #expect(told.outputText.contains("sample of a flow, 1000 training timesteps"))
        #expect(told.outputText.contains("euler, trailing spacing, by default"))
        try place.run("sample", "--model", "emoji-sit-s8", "--sampler", "ddim").expectFailure(64, "ddim", "flow")
    }
}
