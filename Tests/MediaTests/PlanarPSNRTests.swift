import Media
import Testing

/// PSNR of pictures before they are rounded.
@Suite struct PlanarPSNRTests {
    @Test func `whole levels give the figure of the rounded pictures`() throws {
        let first = TestImages.noise(width: 7, height: 5, channels: 3, seed: 1)
        let second = TestImages.noise(width: 7, height: 5, channels: 3, seed: 2)
        let psnr = ImageMetrics.psnr(first.pixels.map(Float.init), second.pixels.map(Float.init), range: 0...255)
        #expect(abs(psnr - (try ImageMetrics.psnr(first, second))) < 1e-12)
    }

    @Test func `pictures that differ by less than a level are not the same`() {
        let psnr = ImageMetrics.psnr([0, 0.5, 1], [0, 0.5, 0.999], range: 0...1)
        // 10 log10(1 / (1e-6 / 3)), with 0.999 as a Float.
        #expect(abs(psnr - 64.7712) < 1e-3)
        #expect(ImageMetrics.psnr([0, 0.5], [0, 0.5], range: 0...1) == .infinity)
    }

    @Test func `the peak is the range's extent`() {
        let narrow = ImageMetrics.psnr([0.25], [0.5], range: 0...1)
        let wide = ImageMetrics.psnr([0.25], [0.5], range: -1...1)
        #expect(abs(wide - narrow - 6.0206) < 1e-4)
    }

    @Test func `values are clamped, and what is no number is the lower end`() {
        #expect(ImageMetrics.psnr([-9, 9, .nan, .infinity], [-1, 1, -1, 1], range: -1...1) == .infinity)
    }
}
