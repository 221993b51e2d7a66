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

    /// The PSNR in dB below which an image is a flip: another picture than the one compared with, and not that picture
    /// with errors. Whatever counts or avoids flips takes the bound from here.
    public static let flipBound = 30.0
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

extension ImageMetrics {
    /// The energy of a clip's finest detail: the mean of ``highFrequencyEnergy(_:)-(Image)`` over its frames, at least one.
    public static func highFrequencyEnergy(_ frames: [Image]) -> Double {
        frames.reduce(0) { $0 + highFrequencyEnergy($1) } / Double(frames.count)
    }

    /// How much a clip changes: the mean over all samples of the absolute difference between a frame and the next, in
    /// levels; 0 for a still.
    ///
    /// Of two clips that show the same motion, one that flickers changes more, and one that blurs the motion less.
    public static func change(_ frames: [Image]) -> Double {
        var sum = 0
        for (frame, next) in zip(frames, frames.dropFirst()) {
            for (a, b) in zip(frame.pixels, next.pixels) { sum += abs(Int(a) - Int(b)) }
        }
        return sum == 0 ? 0 : Double(sum) / Double((frames.count - 1) * frames[0].pixels.count)
    }

    /// The flicker of a clip against another one of its shape and length: the ratio of their ``change(_:)``, less 1.
    ///
    /// 0 where both change alike; nil where the other one does not change.
    public static func flicker(_ frames: [Image], against others: [Image]) -> Double? {
        let other = change(others)
        return other > 0 ? change(frames) / other - 1 : nil
    }

    /// The mean of those that are finite; infinite if none is.
    private static func mean(_ decibels: [Double]) -> Double {
        let finite = decibels.filter(\.isFinite)
        return finite.isEmpty ? .infinity : finite.reduce(0, +) / Double(finite.count)
    }

    /// The PSNR of two clips of one length: the mean over those pairs of frames that differ; infinite if none does.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    public static func psnr(_ first: [Image], _ second: [Image]) throws(ImageError) -> Double {
        var decibels: [Double] = []
        for (frame, other) in zip(first, second) { decibels.append(try psnr(frame, other)) }
        return mean(decibels)
    }

    /// The PSNR of two clips before their frames are rounded to 8 bits: the mean over those pairs of frames that differ;
    /// infinite if none does.
    public static func psnr(frames first: [[Float]], _ second: [[Float]], range: ClosedRange<Float>) -> Double {
        mean(zip(first, second).map { psnr($0, $1, range: range) })
    }
}
