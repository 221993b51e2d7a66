import Media
import Pipeline

/// How an image of a batch compares with that of the same place, class and seed in the batch compared with.
public struct BatchPair: Codable, Equatable, Sendable {
    /// The image's place in both lists.
    public let index: Int
    /// The evaluations that it takes.
    public let evaluations: Int
    /// The seconds that it took; nil where nobody saw it being made.
    public let seconds: Double?
    /// The other image's seconds over ``seconds``, but no more than its evaluations over ``evaluations``: the two may
    /// have been made under different loads. nil unless both are known.
    public let speedUp: Double?
    /// In dB, of the pictures of 8 bits; nil for the same picture, where it is infinite.
    public let psnr: Double?
    /// Structural similarity; nil where the pictures are too small for it.
    public let ssim: Double?
    /// The energy of the finest detail over that of the other picture, which has some; nil otherwise.
    public let highFrequencyEnergy: Double?

    /// Joins the figures.
    public init(
        index: Int, evaluations: Int, seconds: Double?, speedUp: Double?, psnr: Double?, ssim: Double?,
        highFrequencyEnergy: Double?
    ) {
        self.index = index
        self.evaluations = evaluations
        self.seconds = seconds
        self.speedUp = speedUp
        self.psnr = psnr
        self.ssim = ssim
        self.highFrequencyEnergy = highFrequencyEnergy
    }

    /// Measures an image against the other.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    init(
        _ line: ManifestLine, _ picture: Image, against other: ManifestLine, _ otherPicture: Image, measuresTime: Bool
    ) throws(ImageError) {
        let psnr = try ImageMetrics.psnr(otherPicture, picture)
        let detail = ImageMetrics.highFrequencyEnergy(picture) / ImageMetrics.highFrequencyEnergy(otherPicture)
        let seconds = measuresTime ? line.seconds : nil
        let (full, spent) = (Double(other.evaluations), Double(line.evaluations))
        let speedUp = seconds.flatMap { own in
            other.seconds.map { SpeedUp.possible($0 / own, from: full, to: spent) }
        }
        self.init(
            index: line.index, evaluations: line.evaluations, seconds: seconds,
            speedUp: speedUp.flatMap { $0.isFinite ? $0 : nil }, psnr: psnr.isFinite ? psnr : nil,
            ssim: try ImageMetrics.ssimUnlessTooSmall(otherPicture, picture),
            highFrequencyEnergy: detail.isFinite ? detail : nil)
    }
}

extension ImageMetrics {
    /// Structural similarity; nil for pictures that are too small for it.
    static func ssimUnlessTooSmall(_ first: Image, _ second: Image) throws(ImageError) -> Double? {
        do throws(ImageError) {
            return try ssim(first, second)
        } catch .tooSmallForSSIM {
            return nil
        }
    }
}
