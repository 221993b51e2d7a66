import Compute
import Media
import Testing

@testable import Pipeline

/// Latents (C, F, H, W) become frames.
@Suite struct FrameTests {
    @Test func `every value of the latents is where it belongs in its frame`() throws {
        let (channels, count, height, width) = (3, 4, 2, 5)
        // Every value tells its place; all of them differ.
        let values = (0..<channels * count * height * width).map(Float.init)
        let latents = Tensor(values, shape: [channels, count, height, width])
        let frames = try PixelDecoder(range: 0...255).decode(latents)
        #expect(frames.count == count && frames.allSatisfy { ($0.width, $0.height, $0.channels) == (width, height, 3) })
        var seen = 0
        for frame in 0..<count {
            for (y, x) in (0..<height).flatMap({ y in (0..<width).map { (y, $0) } }) {
                let pixel = y * width + x
                for channel in 0..<channels {
                    let value = ((channel * count + frame) * height + y) * width + x
                    #expect(
                        Int(frames[frame].pixels[3 * pixel + channel]) == value,
                        "frame \(frame), \(x), \(y), channel \(channel)")
                    seen += 1
                }
            }
        }
        #expect(seen == values.count)
    }

    @Test func `a single frame is the picture itself, with or without an axis for frames`() throws {
        let values = (0..<12).map { Float($0) * 20 }
        let decoder = PixelDecoder(range: 0...255)
        let flat = try decoder.decode(Tensor(values, shape: [3, 2, 2]))
        #expect(try decoder.decode(Tensor(values, shape: [3, 1, 2, 2])) == flat)
        #expect(flat.count == 1)
    }
}
