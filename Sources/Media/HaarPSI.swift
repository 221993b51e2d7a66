import Glibc

extension ImageMetrics {
    /// The Haar wavelet-based perceptual similarity index, from 0 to 1; 1 for equal images.
    ///
    /// Reisenhofer, Bosse, Kutyniok and Wiegand, "A Haar wavelet-based perceptual similarity index for image quality
    /// assessment", Signal Processing: Image Communication 61 (2018), equations 10 to 12, with the authors' constants
    /// (C = 30, α = 4.2) and conventions: images are halved first, and samples beyond their edges are zero. Unlike SSIM
    /// it compares colour: luma by its edges in two directions at two scales, weighted by those at a third, and the two
    /// chromas of YIQ by their local means. A gray image has no chroma.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``, or
    ///   ``ImageError/tooSmall(measure:width:height:least:)`` below 16x16, where the widest filter does not lie within
    ///   the halved image.
    public static func haarPSI(_ first: Image, _ second: Image) throws(ImageError) -> Double {
        try first.check(against: second, measure: "HaarPSI", least: 16)
        let (x, y) = (HaarFeatures(first), HaarFeatures(second))
        var (sum, weights) = (0.0, 0.0)
        func add(_ similarity: Double, weight: Double) {
            sum += weight / (1 + exp(-HaarFeatures.alpha * similarity))
            weights += weight
        }
        for place in x.edges[0][0].indices {
            var mean = 0.0
            for direction in 0..<2 {
                let (own, other) = (x.edges[direction], y.edges[direction])
                let weight = max(own[2][place], other[2][place])
                let similarity =
                    (HaarFeatures.similarity(own[0][place], other[0][place])
                        + HaarFeatures.similarity(own[1][place], other[1][place])) / 2
                add(similarity, weight: weight)
                mean += weight / 2
            }
            guard x.chromas.count == 2 else { continue }
            let similarity =
                (HaarFeatures.similarity(x.chromas[0][place], y.chromas[0][place])
                    + HaarFeatures.similarity(x.chromas[1][place], y.chromas[1][place])) / 2
            add(similarity, weight: mean)
        }
        // Only two black images have no edges at all, their borders included.
        guard weights > 0 else { return 1 }
        let share = sum / weights
        let similarity = log(share / (1 - share)) / HaarFeatures.alpha
        return min(1, similarity * similarity)
    }
}

/// What HaarPSI compares: magnitudes, pixel by pixel of the halved image.
private struct HaarFeatures {
    /// The steepness of the sigmoid.
    static let alpha = 4.2
    /// Keeps the comparison of small magnitudes from dividing by nothing.
    private static let c = 30.0

    /// By direction (down, across) and scale (2, 4, 8 samples), the magnitudes of the Haar coefficients of the luma.
    let edges: [[[Double]]]
    /// The magnitudes of the means over 2x2 samples of I and Q; empty for a gray image.
    let chromas: [[Double]]

    init(_ image: Image) {
        let luma = image.channels == 1 ? image.plane(0) : image.mix(0.299, 0.587, 0.114)
        let half = luma.zeroPaddedHalf()
        edges = [true, false].map { isDown in
            [2, 4, 8].map { half.haar(size: $0, isDown: isDown).values.map(\.magnitude) }
        }
        guard image.channels == 3 else {
            chromas = []
            return
        }
        chromas = [image.mix(0.596, -0.274, -0.322), image.mix(0.211, -0.523, 0.312)].map {
            $0.zeroPaddedHalf().means().values.map(\.magnitude)
        }
    }

    /// How alike two magnitudes are, from 0 to 1.
    static func similarity(_ a: Double, _ b: Double) -> Double { (2 * a * b + c) / (a * a + b * b + c) }
}

extension Image {
    /// A weighted sum of the three channels.
    fileprivate func mix(_ red: Double, _ green: Double, _ blue: Double) -> Plane {
        let values = stride(from: 0, to: pixels.count, by: 3).map {
            red * Double(pixels[$0]) + green * Double(pixels[$0 + 1]) + blue * Double(pixels[$0 + 2])
        }
        return Plane(width: width, values: values)
    }
}

extension Plane {
    /// The means over each sample and its neighbours to the right, below and both.
    fileprivate func means() -> Plane {
        convolved(down: [0.5, 0.5], across: [0.5, 0.5])
    }

    /// Every second of the ``means()``, across and down.
    fileprivate func zeroPaddedHalf() -> Plane {
        let means = means()
        var half: [Double] = []
        for y in stride(from: 0, to: height, by: 2) {
            for x in stride(from: 0, to: width, by: 2) { half.append(means.values[y * width + x]) }
        }
        return Plane(width: (width + 1) / 2, values: half)
    }

    /// Haar coefficients at every sample: over size x size samples, the sum of one half less that of the other, divided
    /// by `size`.
    fileprivate func haar(size: Int, isDown: Bool) -> Plane {
        let step = (0..<size).map { $0 < size / 2 ? -1 / Double(size) : 1 / Double(size) }
        let box = [Double](repeating: 1, count: size)
        return convolved(down: isDown ? step : box, across: isDown ? box : step)
    }

    /// The convolution with a separable kernel of an even size n, of this plane's size: sample i is made of the samples
    /// i - n/2 + 1 to i + n/2, as by MATLAB's `conv2(…, 'same')`. Samples outside are zero.
    private func convolved(down: [Double], across: [Double]) -> Plane {
        let (width, height) = (width, height)
        var rows = [Double](repeating: 0, count: values.count)
        for (tap, weight) in across.enumerated() {
            let shift = across.count / 2 - tap
            for y in 0..<height {
                for x in max(0, -shift)..<max(max(0, -shift), min(width, width - shift)) {
                    rows[y * width + x] += weight * values[y * width + x + shift]
                }
            }
        }
        var result = [Double](repeating: 0, count: values.count)
        for (tap, weight) in down.enumerated() {
            let shift = down.count / 2 - tap
            for y in 0..<height where (0..<height).contains(y + shift) {
                for x in 0..<width { result[y * width + x] += weight * rows[(y + shift) * width + x] }
            }
        }
        return Plane(width: width, values: result)
    }
}
