import Compute
import Media
import Testing

@testable import Pipeline

/// Latents (C, F, H, W) become frames, and frames a sheet.
@Suite struct FrameTests {
    @Test func `every value of the latents is where it belongs on the sheet`() throws {
        let (channels, count, height, width) = (3, 4, 2, 5)
        // Every value tells its place; all of them differ.
        let values = (0..<channels * count * height * width).map(Float.init)
        let latents = Tensor(values, shape: [channels, count, height, width])
        let frames = try PixelDecoder(range: 0...255).decode(latents)
        #expect(frames.count == count && frames.allSatisfy { ($0.width, $0.height, $0.channels) == (width, height, 3) })
        let sheet = try FrameSheet.picture(of: frames)
        let size = try FrameSheet.extents(width: width, height: height, frames: count)
        #expect((sheet.width, sheet.height) == size)
        let gap = (sheet.height - height) / 2
        var seen = 0
        for frame in 0..<count {
            for (y, x) in (0..<height).flatMap({ y in (0..<width).map { (y, $0) } }) {
                let pixel = (y + gap) * sheet.width + gap + frame * (width + gap) + x
                for channel in 0..<channels {
                    let value = ((channel * count + frame) * height + y) * width + x
                    #expect(
                        Int(sheet.pixels[3 * pixel + channel]) == value,
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
        #expect(try flat.count == 1 && FrameSheet.picture(of: flat) == flat[0])
    }
}
