import Glibc

/// How alike two images of one shape are.
public enum ImageMetrics {
    /// Peak signal-to-noise ratio in dB: 10 · log10(255² / mean squared difference), over all samples of all channels.
    ///
    /// Infinite for equal images.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    public static func psnr(_ first: Image, _ second: Image) throws(ImageError) -> Double {
        guard first.hasSameShape(as: second) else { throw .shapesDiffer(first, second) }
        var sum = 0
        for (a, b) in zip(first.pixels, second.pixels) {
            let difference = Int(a) - Int(b)
            sum += difference * difference
        }
        guard sum > 0 else { return .infinity }
        return 10 * log10(255 * 255 * Double(first.pixels.count) / Double(sum))
    }

    /// Structural similarity, from -1 to 1; 1 for equal images.
    ///
    /// Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
    /// IEEE Transactions on Image Processing 13 (2004), equation 13: a Gaussian window of 11x11 with a standard
    /// deviation of 1.5, K1 = 0.01, K2 = 0.03, averaged over the positions at which the window lies within the image,
    /// then over the channels. scikit-image gives the same figure for `structural_similarity(a, b,
    /// gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1)`.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``, or
    ///   ``ImageError/tooSmallForSSIM(width:height:least:)`` below 11x11.
    public static func ssim(_ first: Image, _ second: Image) throws(ImageError) -> Double {
        guard first.hasSameShape(as: second) else { throw .shapesDiffer(first, second) }
        guard min(first.width, first.height) >= window.count else {
            throw .tooSmallForSSIM(width: first.width, height: first.height, least: window.count)
        }
        let sum = (0..<first.channels).reduce(0.0) { sum, channel in
            sum + ssim(first.plane(channel), second.plane(channel), width: first.width)
        }
        return sum / Double(first.channels)
    }

    /// The weights of the separable window, which add up to 1.
    private static let window: [Double] = {
        let weights = (-5...5).map { (offset: Int) -> Double in
            let deviations = Double(offset) / 1.5
            return exp(-deviations * deviations / 2)
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }()

    /// The mean structural similarity of two planes (height, width).
    private static func ssim(_ x: [Double], _ y: [Double], width: Int) -> Double {
        let c1 = 0.01 * 255 * (0.01 * 255)
        let c2 = 0.03 * 255 * (0.03 * 255)
        let meanX = blur(x, width: width)
        let meanY = blur(y, width: width)
        let squareX = blur(zip(x, x).map { $0 * $1 }, width: width)
        let squareY = blur(zip(y, y).map { $0 * $1 }, width: width)
        let product = blur(zip(x, y).map { $0 * $1 }, width: width)
        var sum = 0.0
        for i in meanX.indices {
            let varianceX = squareX[i] - meanX[i] * meanX[i]
            let varianceY = squareY[i] - meanY[i] * meanY[i]
            let covariance = product[i] - meanX[i] * meanY[i]
            let luminance = (2 * meanX[i] * meanY[i] + c1) / (meanX[i] * meanX[i] + meanY[i] * meanY[i] + c1)
            sum += luminance * (2 * covariance + c2) / (varianceX + varianceY + c2)
        }
        return sum / Double(meanX.count)
    }

    /// The weighted mean of every window that lies within the plane: (height - 10, width - 10).
    private static func blur(_ plane: [Double], width: Int) -> [Double] {
        let height = plane.count / width
        let innerWidth = width - window.count + 1
        let innerHeight = height - window.count + 1
        var rows = [Double](repeating: 0, count: height * innerWidth)
        for y in 0..<height {
            for (offset, weight) in window.enumerated() {
                for x in 0..<innerWidth { rows[y * innerWidth + x] += weight * plane[y * width + x + offset] }
            }
        }
        var inner = [Double](repeating: 0, count: innerHeight * innerWidth)
        for y in 0..<innerHeight {
            for (offset, weight) in window.enumerated() {
                for x in 0..<innerWidth { inner[y * innerWidth + x] += weight * rows[(y + offset) * innerWidth + x] }
            }
        }
        return inner
    }
}

extension Image {
    /// One channel's samples (height, width).
    fileprivate func plane(_ channel: Int) -> [Double] {
        stride(from: channel, to: pixels.count, by: channels).map { Double(pixels[$0]) }
    }
}

extension ImageMetrics {
    /// Peak signal-to-noise ratio in dB of two pictures before they are rounded to 8 bits: 10 · log10(extent of `range`² /
    /// mean squared difference), with every value clamped to `range` and NaN taken as its lower end, as by
    /// ``Image/init(planar:width:height:channels:range:)``.
    ///
    /// Infinite only for pictures that are the same number for number. Two that differ by less than a level can be the
    /// same after rounding, and the figure after rounding depends on where the levels happen to lie.
    public static func psnr(
        _ first: some Collection<Float>, _ second: some Collection<Float>, range: ClosedRange<Float>
    ) -> Double {
        precondition(first.count == second.count, "\(first.count) values against \(second.count)")
        func clamped(_ value: Float) -> Double {
            Double(value > range.lowerBound ? min(value, range.upperBound) : range.lowerBound)
        }
        var sum = 0.0
        for (a, b) in zip(first, second) {
            let difference = clamped(a) - clamped(b)
            sum += difference * difference
        }
        guard sum > 0 else { return .infinity }
        let extent = Double(range.upperBound) - Double(range.lowerBound)
        return 10 * log10(extent * extent * Double(first.count) / sum)
    }
}

extension ImageMetrics {
    /// The energy of an image's finest detail, in squared levels per sample, from 0 to 127.5².
    ///
    /// The mean over all samples of all channels of (Laplacian / 8)², the Laplacian being 4 times a sample less its four
    /// neighbours; at the borders the image is mirrored about its outermost samples. A wave of angular frequency
    /// (v, w) passes with the amplitude ((1 - cos v) + (1 - cos w)) / 4: 0 for what is even, 1 for a checkerboard, and
    /// at half the Nyquist frequency across and down a half. The energies of an image and of its reference, divided,
    /// show ripple (above 1) or lost detail (below 1) where their PSNR cannot tell one from the other.
    public static func highFrequencyEnergy(_ image: Image) -> Double {
        let (width, height, channels) = (image.width, image.height, image.channels)
        let pixels = image.pixels
        var sum = 0
        for y in 0..<height {
            let above = (y > 0 ? y - 1 : min(1, height - 1)) * width
            let below = (y < height - 1 ? y + 1 : max(0, height - 2)) * width
            for x in 0..<width {
                let left = x > 0 ? x - 1 : min(1, width - 1)
                let right = x < width - 1 ? x + 1 : max(0, width - 2)
                for channel in 0..<channels {
                    func level(_ index: Int) -> Int { Int(pixels[index * channels + channel]) }
                    let neighbours =
                        level(above + x) + level(below + x) + level(y * width + left) + level(y * width + right)
                    let laplacian = 4 * level(y * width + x) - neighbours
                    sum += laplacian * laplacian
                }
            }
        }
        return Double(sum) / 64 / Double(pixels.count)
    }
}
