import Glibc
import Testing

@testable import Media

/// How alike clips are, and how much they change.
@Suite struct ClipMetricsTests {
    private func flat(_ levels: [UInt8]) -> [Image] {
        levels.map { TestImages.flat($0, width: 12, height: 11, channels: 3) }
    }

    @Test func `the change is the mean absolute step from frame to frame, and that of a still is none`() {
        #expect(ImageMetrics.change(flat([10, 14, 12])) == 3)
        #expect(ImageMetrics.change(flat([10])) == 0 && ImageMetrics.change(flat([7, 7, 7])) == 0)
        // Half of the samples of one step.
        let half = Image(width: 2, height: 1, channels: 1, pixels: [0, 9])
        #expect(ImageMetrics.change([half, Image(width: 2, height: 1, channels: 1, pixels: [4, 9])]) == 2)
    }

    @Test func `flicker is above 0 for what changes more, below for what is blurred, and none beside a still`() {
        let clip = flat([10, 14, 12])
        #expect(ImageMetrics.flicker(clip, against: clip) == 0)
        #expect(ImageMetrics.flicker(flat([10, 16, 10]), against: clip) == 1)
        #expect(ImageMetrics.flicker(flat([10, 11, 12]), against: clip).map { abs($0 + 2.0 / 3) < 1e-12 } == true)
        #expect(ImageMetrics.flicker(clip, against: flat([7, 7, 7])) == nil)
        #expect(ImageMetrics.flicker(flat([1]), against: flat([2])) == nil)
    }

    @Test func `the PSNR of a clip is the mean over the frames that differ, and infinite where none does`() throws {
        let clip = flat([10, 14, 12])
        let (one, two) = (20 * log10(255.0), 20 * log10(255.0 / 2))
        #expect(try abs(ImageMetrics.psnr(flat([10, 15, 14]), clip) - (one + two) / 2) < 1e-12)
        #expect(try ImageMetrics.psnr(clip, clip) == .infinity)
        #expect(try ImageMetrics.psnr([clip[0]], [clip[1]]) == ImageMetrics.psnr(clip[0], clip[1]))
        let planes = clip.map { $0.pixels.map(Float.init) }
        let others = flat([10, 15, 14]).map { $0.pixels.map(Float.init) }
        #expect(abs(ImageMetrics.psnr(frames: others, planes, range: 0...255) - (one + two) / 2) < 1e-12)
    }
}
