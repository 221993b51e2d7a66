import Glibc
import Imaging
import Testing

@Suite struct HighFrequencyEnergyTests {
    /// Samples by row, column and channel.
    static func image(_ width: Int, _ height: Int, _ channels: Int = 1, _ level: (Int, Int, Int) -> Double) -> Image {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels { pixels.append(UInt8(level(y, x, channel).rounded())) }
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    @Test(arguments: [(1, 1), (1, 5), (5, 1), (7, 4)], [1, 3])
    func `an even image has none`(size: (Int, Int), channels: Int) {
        let image = TestImages.flat(200, width: size.0, height: size.1, channels: channels)
        #expect(ImageMetrics.highFrequencyEnergy(image) == 0)
    }

    @Test(arguments: [(2, 2), (8, 8), (5, 4), (3, 7)], [1, 3])
    func `a checkerboard of black and white has the most, 127.5 squared`(size: (Int, Int), channels: Int) {
        let board = Self.image(size.0, size.1, channels) { y, x, _ in (x + y) % 2 == 0 ? 0 : 255 }
        #expect(ImageMetrics.highFrequencyEnergy(board) == 127.5 * 127.5)
        let noise = TestImages.noise(width: size.0, height: size.1, channels: channels)
        #expect(ImageMetrics.highFrequencyEnergy(noise) < 127.5 * 127.5)
    }

    // Columns 0, 255, 0, 255: 4a - 2a - 2(255 - a) is ±510, an eighth of which is 63.75.
    @Test func `stripes of one pixel have a quarter of a checkerboard's`() {
        let stripes = Self.image(8, 6) { _, x, _ in x % 2 == 0 ? 0 : 255 }
        #expect(ImageMetrics.highFrequencyEnergy(stripes) == 63.75 * 63.75)
    }

    // The third channel alone is not even: a third of the samples carry the energy.
    @Test func `channels are kept apart and averaged`() {
        let board = Self.image(6, 6, 3) { y, x, channel in channel == 2 && (x + y) % 2 == 0 ? 255 : 0 }
        #expect(abs(ImageMetrics.highFrequencyEnergy(board) - 127.5 * 127.5 / 3) < 1e-9)
    }

    @Test(arguments: [(0.0, 1.0), (0, 2), (1, 1), (2, 3), (4, 4)])
    func `a wave passes with its amplitude's share`(frequency: (Double, Double)) {
        // A period of 16 / k pixels fits into 32 exactly; away from the mirrored border the gain is that of the formula.
        let (v, w) = (frequency.0 * .pi / 8, frequency.1 * .pi / 8)
        let wave = Self.image(64, 64) { y, x, _ in
            127.5 + 120 * cos(v * (Double(y) - 31.5)) * cos(w * (Double(x) - 31.5))
        }
        let gain = ((1 - cos(v)) + (1 - cos(w))) / 4
        let power = 120.0 * 120 / 2 / (v == 0 ? 1 : 2)
        // Rounding to whole levels adds noise of variance 1/12, which the filter passes to 20/64; the border is 1/16.
        let expected = gain * gain * power
        #expect(abs(ImageMetrics.highFrequencyEnergy(wave) - expected) < 0.12 * expected + 20 / 64.0 / 12 * 1.5)
    }

    @Test func `blurring lowers it and ripple raises it`() {
        let noise = TestImages.noise(width: 24, height: 24, channels: 1)
        let blurred = Self.image(24, 24) { y, x, _ in
            (-1...1).reduce(0) { $0 + Double(noise.pixels[y * 24 + min(23, max(0, x + $1))]) } / 3
        }
        #expect(ImageMetrics.highFrequencyEnergy(blurred) < ImageMetrics.highFrequencyEnergy(noise) / 2)
        let smooth = Self.image(24, 24) { y, x, _ in 100 + 2 * Double(x) + Double(y) }
        let rippled = Self.image(24, 24) { y, x, _ in 100 + 2 * Double(x) + Double(y) + (x % 2 == 0 ? 3 : -3) }
        let brighter = Self.image(24, 24) { y, x, _ in 103 + 2 * Double(x) + Double(y) }
        let reference = ImageMetrics.highFrequencyEnergy(smooth)
        #expect(ImageMetrics.highFrequencyEnergy(rippled) > 10 * reference)
        #expect(ImageMetrics.highFrequencyEnergy(brighter) == reference)
    }
}
