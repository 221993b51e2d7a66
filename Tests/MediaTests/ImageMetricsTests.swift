import Media
import Testing

@Suite struct ImageMetricsTests {
    /// A ramp, and the ramp with noise from -16 to 15 on it, clipped.
    static func pair(width: Int, height: Int, channels: Int) -> (Image, Image) {
        let clean = TestImages.ramp(width: width, height: height, channels: channels)
        let noise = TestImages.noise(width: width, height: height, channels: channels, seed: 1)
        let pixels = zip(clean.pixels, noise.pixels).map { UInt8(min(255, max(0, Int($0) + Int($1) % 32 - 16))) }
        return (clean, Image(width: width, height: height, channels: channels, pixels: pixels))
    }

    // scikit-image 0.26.0, from skimage.metrics, a and b the pair above as (height, width, channels) uint8:
    // peak_signal_noise_ratio(a, b, data_range=255)
    // structural_similarity(a, b, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    //                       data_range=255)
    @Test(arguments: [
        (24, 17, 3, 28.926449770877625, 0.8385189106602304), (11, 11, 1, 28.924913771646104, 0.8100447822831807),
    ])
    func `PSNR and SSIM are scikit-image's`(width: Int, height: Int, channels: Int, psnr: Double, ssim: Double) throws {
        let (clean, noisy) = Self.pair(width: width, height: height, channels: channels)
        #expect(abs(try ImageMetrics.psnr(clean, noisy) - psnr) < 1e-12)
        #expect(abs(try ImageMetrics.ssim(clean, noisy) - ssim) < 1e-12)
        #expect(abs(try ImageMetrics.ssim(noisy, clean) - ssim) < 1e-12)
    }

    @Test func `equal images have infinite PSNR and SSIM 1`() throws {
        let image = TestImages.noise(width: 13, height: 12, channels: 3)
        #expect(try ImageMetrics.psnr(image, image) == .infinity)
        #expect(abs(try ImageMetrics.ssim(image, image) - 1) < 1e-12)
    }

    @Test func `one level apart everywhere is 20 log10 255 dB, black and white 0 dB`() throws {
        let black = TestImages.flat(0, width: 2, height: 2, channels: 3)
        let nearly = TestImages.flat(1, width: 2, height: 2, channels: 3)
        #expect(abs(try ImageMetrics.psnr(black, nearly) - 48.1308036086791) < 1e-12)
        #expect(try ImageMetrics.psnr(black, TestImages.flat(255, width: 2, height: 2, channels: 3)) == 0)
    }

    @Test func `images that differ in shape are not compared`() {
        let first = TestImages.flat(0, width: 11, height: 12, channels: 3)
        let second = TestImages.flat(0, width: 12, height: 11, channels: 3)
        let error = ImageError.shapesDiffer(first: "11x12 RGB", second: "12x11 RGB")
        #expect(throws: error) { try ImageMetrics.psnr(first, second) }
        #expect(throws: error) { try ImageMetrics.ssim(first, second) }
    }

    @Test func `SSIM needs 11 pixels each way`() {
        let image = TestImages.flat(0, width: 11, height: 10, channels: 1)
        #expect(throws: ImageError.tooSmall(measure: "SSIM", width: 11, height: 10, least: 11)) {
            try ImageMetrics.ssim(image, image)
        }
    }
}
