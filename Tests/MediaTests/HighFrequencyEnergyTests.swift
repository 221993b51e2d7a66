import Glibc
import Media
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

    // cos(pi k x / 32) mirrors itself about its samples 0 and 32, so the filter scales it, borders included.
    @Test(arguments: [(0.0, 8.0), (8, 8), (16, 16), (0, 32), (24, 5), (32, 32)])
    func `a wave passes with the amplitude that the formula gives`(waves: (Double, Double)) {
        let (v, w) = (waves.0 * .pi / 32, waves.1 * .pi / 32)
        func level(_ y: Int, _ x: Int) -> Double { 120 * cos(v * Double(y)) * cos(w * Double(x)) }
        let image = Self.image(33, 33) { y, x, _ in 127.5 + level(y, x) }
        let power = (0..<33 * 33).reduce(0) { $0 + level($1 / 33, $1 % 33) * level($1 / 33, $1 % 33) } / (33 * 33)
        let amplitude = ((1 - cos(v)) + (1 - cos(w))) / 4 * power.squareRoot()
        // Rounding to whole levels moves no sample by more than a half, and the filter enlarges nothing.
        #expect(abs(ImageMetrics.highFrequencyEnergy(image).squareRoot() - amplitude) <= 0.5)
    }

    @Test func `blurring lowers it and ripple raises it`() {
        let noise = TestImages.noise(width: 24, height: 24, channels: 1)
        let blurred = Self.image(24, 24) { y, x, _ in
            (x - 1...x + 1).reduce(0.0) { sum, x in sum + Double(noise.pixels[y * 24 + min(23, max(0, x))]) } / 3
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
