import Glibc

extension ImageMetrics {
    /// Structural similarity, from -1 to 1; 1 for equal images.
    ///
    /// Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
    /// IEEE Transactions on Image Processing 13 (2004), equation 13: a Gaussian window of 11x11 with a standard
    /// deviation of 1.5, K1 = 0.01, K2 = 0.03, averaged over the positions at which the window lies within the image,
    /// then over the channels. scikit-image gives the same figure for `structural_similarity(a, b,
    /// gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1)`.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``, or
    ///   ``ImageError/tooSmall(measure:width:height:least:)`` below 11x11.
    public static func ssim(_ first: Image, _ second: Image) throws(ImageError) -> Double {
        try first.check(against: second, measure: "SSIM", least: StructuralSimilarity.side)
        return first.meanOverChannels(with: second) { StructuralSimilarity($0, $1).mean }
    }

    /// Multi-scale structural similarity, up to 1 for equal images.
    ///
    /// Wang, Simoncelli and Bovik, "Multiscale Structural Similarity for Image Quality Assessment", Asilomar Conference
    /// on Signals, Systems and Computers (2003), equation 7: contrast and structure are compared at every scale,
    /// luminance at the coarsest. Each scale has half the sides of the one before (means of 2x2 samples; of an odd side
    /// the last sample counts twice), and the window of ``ssim(_:_:)``. The exponents are the paper's.
    ///
    /// The paper has five scales, for which an image needs 161x161 pixels. A smaller one has as many of them as leave at
    /// least 11x11 samples (32x32 pixels: two), and their exponents are divided by their sum. With a single scale, this
    /// is SSIM; with more, a negative factor, which has no real power, counts as 0. The channels' figures are averaged.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``, or
    ///   ``ImageError/tooSmall(measure:width:height:least:)`` below 11x11.
    public static func multiScaleSSIM(_ first: Image, _ second: Image) throws(ImageError) -> Double {
        try first.check(against: second, measure: "MS-SSIM", least: StructuralSimilarity.side)
        return first.meanOverChannels(with: second, StructuralSimilarity.multiScale)
    }
}

/// The similarity of two planes of one size, at least ``side`` samples each way.
private struct StructuralSimilarity {
    /// The mean of luminance · contrast · structure.
    let mean: Double
    /// The mean of contrast · structure.
    let contrastAndStructure: Double

    /// The weights of the separable window, which add up to 1.
    private static let window: [Double] = {
        let weights = (-5...5).map { (offset: Int) -> Double in
            let deviations = Double(offset) / 1.5
            return exp(-deviations * deviations / 2)
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }()

    /// The sides of the window.
    static let side = 11

    /// The exponents of the scales, the finest first (Wang, Simoncelli and Bovik 2003, section 3.2).
    private static let exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

    init(_ x: Plane, _ y: Plane) {
        let c1 = 0.01 * 255 * (0.01 * 255)
        let c2 = 0.03 * 255 * (0.03 * 255)
        let meanX = Self.blur(x.values, width: x.width)
        let meanY = Self.blur(y.values, width: x.width)
        let squareX = Self.blur(zip(x.values, x.values).map { $0 * $1 }, width: x.width)
        let squareY = Self.blur(zip(y.values, y.values).map { $0 * $1 }, width: x.width)
        let product = Self.blur(zip(x.values, y.values).map { $0 * $1 }, width: x.width)
        var (sum, sumWithoutLuminance) = (0.0, 0.0)
        for i in meanX.indices {
            let varianceX = squareX[i] - meanX[i] * meanX[i]
            let varianceY = squareY[i] - meanY[i] * meanY[i]
            let covariance = product[i] - meanX[i] * meanY[i]
            let luminance = (2 * meanX[i] * meanY[i] + c1) / (meanX[i] * meanX[i] + meanY[i] * meanY[i] + c1)
            sum += luminance * (2 * covariance + c2) / (varianceX + varianceY + c2)
            sumWithoutLuminance += (2 * covariance + c2) / (varianceX + varianceY + c2)
        }
        mean = sum / Double(meanX.count)
        contrastAndStructure = sumWithoutLuminance / Double(meanX.count)
    }

    /// The similarity of two planes over all scales that they have.
    static func multiScale(_ x: Plane, _ y: Plane) -> Double {
        var scales = [(x, y)]
        while scales.count < exponents.count, let (x, y) = scales.last, min(x.width, x.height) >= 2 * side - 1 {
            scales.append((x.halved(), y.halved()))
        }
        guard scales.count > 1 else { return StructuralSimilarity(x, y).mean }
        let sum = exponents[..<scales.count].reduce(0, +)
        var product = 1.0
        for (scale, (x, y)) in scales.enumerated() {
            let similarity = StructuralSimilarity(x, y)
            let factor = scale == scales.count - 1 ? similarity.mean : similarity.contrastAndStructure
            product *= pow(max(0, factor), exponents[scale] / sum)
        }
        return product
    }

    /// The weighted mean of every window that lies within the plane: (height - 10, width - 10).
    private static func blur(_ plane: [Double], width: Int) -> [Double] {
        let height = plane.count / width
        let innerWidth = width - side + 1
        let innerHeight = height - side + 1
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
    /// The mean over the channels of what `measure` says of their planes.
    fileprivate func meanOverChannels(with other: Image, _ measure: (Plane, Plane) -> Double) -> Double {
        (0..<channels).reduce(0.0) { $0 + measure(plane($1), other.plane($1)) } / Double(channels)
    }
}
