import Caching
import Compute
import Media
import Pipeline

/// How one image under a strategy compares with the uncached image of the same class and seed.
///
/// Pictures of clips are measured frame by frame, and the figures are means over the frames: of a PSNR over those that
/// differ.
public struct PairMeasure: Codable, Equatable, Sendable {
    /// What the image has cost; partial work is priced by its operations.
    public let evaluations: Double
    /// From the initial noise to the final latents; nil where time is not measured.
    public let seconds: Double?
    /// The uncached run's seconds over ``seconds``. In the same precision no more than its evaluations over
    /// ``evaluations``: other work on the machine can slow one of the two.
    public let speedUp: Double?
    /// In dB, of the pictures before they are rounded to 8 bits; nil for the same picture, where it is infinite.
    public let psnr: Double?
    /// In dB, of the pictures of 8 bits; nil for the same picture, where it is infinite.
    public let psnr8: Double?
    /// Of the pictures of 8 bits; nil where they are too small for it.
    public let ssim: Double?
    /// As ``ssim``, over several scales.
    public let multiScaleSSIM: Double?
    /// The Haar wavelet-based perceptual similarity index; as ``ssim``.
    public let haarPSI: Double?
    /// |x − x′| / |x′| of the final latents, x′ being the uncached run's; nil where the run has diverged.
    public let latentError: Double?
    /// The energy of the finest detail over that of the uncached picture, which has some; nil otherwise.
    public let highFrequencyEnergy: Double?
    /// How much more a clip changes from frame to frame than the uncached one does (``/Media/ImageMetrics/flicker(_:against:)``);
    /// nil for images, and beside a clip that does not change.
    public let flicker: Double?

    /// Whether the picture is nearer to the uncached one than `other`, which has the same class and seed.
    public func isNearer(than other: PairMeasure) -> Bool {
        (psnr ?? .infinity) > (other.psnr ?? .infinity)
    }

    /// Whether both are as near.
    public func isAsNear(as other: PairMeasure) -> Bool { psnr == other.psnr }
}

/// An image of the uncached model, with what every comparison with it needs.
struct UncachedImage {
    let latents: Tensor
    let frames: [Image]
    let seconds: Double
    let evaluations: Int
    private let decoder: any LatentDecoder
    private let planes: [[Float]]
    private let highFrequencyEnergy: Double

    init(latents: Tensor, evaluations: Int, seconds: Double, decoder: any LatentDecoder) throws {
        let planes = try decoder.planes(of: latents)
        let frames = planes.map(decoder.picture)
        self.latents = latents
        self.evaluations = evaluations
        self.seconds = seconds
        self.decoder = decoder
        self.planes = planes.map(\.elements)
        self.frames = frames
        highFrequencyEnergy = ImageMetrics.highFrequencyEnergy(frames)
    }

    /// Compares another image with this one.
    ///
    /// - Parameters:
    ///   - other: the other image's latents.
    ///   - evaluations: what it has cost.
    ///   - seconds: what it has taken; nil where time is not measured.
    ///   - isAsPrecise: whether it was computed as this one, so that it can be faster by its evaluations alone.
    /// - Returns: the figures and the other frames.
    /// - Throws: what the decoder throws.
    func compare(
        _ other: Tensor, evaluations: Double, seconds: Double?, isAsPrecise: Bool = true
    ) throws -> (measure: PairMeasure, frames: [Image]) {
        let otherPlanes = try decoder.planes(of: other)
        let otherFrames = otherPlanes.map(decoder.picture)
        let similarity = try PictureSimilarity(frames: otherFrames, frames)
        let measure = PairMeasure(
            evaluations: evaluations, seconds: seconds,
            speedUp: seconds.map { seconds in
                isAsPrecise
                    ? SpeedUp.possible(self.seconds / seconds, from: Double(self.evaluations), to: evaluations)
                    : self.seconds / seconds
            },
            psnr: Self.finite(ImageMetrics.psnr(frames: otherPlanes.map(\.elements), planes, range: decoder.range)),
            psnr8: Self.finite(try ImageMetrics.psnr(otherFrames, frames)),
            ssim: similarity.ssim, multiScaleSSIM: similarity.multiScaleSSIM, haarPSI: similarity.haarPSI,
            latentError: Self.finite(relativeError(of: other)),
            highFrequencyEnergy: Self.finite(
                ImageMetrics.highFrequencyEnergy(otherFrames) / highFrequencyEnergy),
            flicker: ImageMetrics.flicker(otherFrames, against: frames))
        return (measure, otherFrames)
    }

    private func relativeError(of other: Tensor) -> Double {
        var (difference, norm) = (0.0, 0.0)
        for (a, b) in zip(other.elements, latents.elements) {
            difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
            norm += Double(b) * Double(b)
        }
        return (difference / norm).squareRoot()
    }

    private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
}
