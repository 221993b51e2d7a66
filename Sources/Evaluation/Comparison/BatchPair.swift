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
    /// As ``ssim``, over several scales.
    public let multiScaleSSIM: Double?
    /// The Haar wavelet-based perceptual similarity index; as ``ssim``.
    public let haarPSI: Double?
    /// The energy of the finest detail over that of the other picture, which has some; nil otherwise.
    public let highFrequencyEnergy: Double?
    /// How much more a clip changes from frame to frame than the other (``/Media/ImageMetrics/flicker(_:against:)``); nil for
    /// images, and beside a clip that does not change.
    public let flicker: Double?

    /// Measures an image against the other; a clip frame by frame, as ``PairMeasure`` says.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    init(
        _ line: ManifestLine, _ picture: Clip, against other: ManifestLine, _ otherPicture: Clip, measuresTime: Bool
    ) throws(ImageError) {
        let (frames, otherFrames) = (picture.frames, otherPicture.frames)
        guard frames.count == otherFrames.count else {
            throw .shapesDiffer(first: "\(otherFrames.count) frames", second: "\(frames.count) frames")
        }
        let psnr = try ImageMetrics.psnr(otherFrames, frames)
        let similarity = try PictureSimilarity(frames: otherFrames, frames)
        let detail = ImageMetrics.highFrequencyEnergy(frames) / ImageMetrics.highFrequencyEnergy(otherFrames)
        let seconds = measuresTime ? line.seconds : nil
        let (full, spent) = (Double(other.evaluations), Double(line.evaluations))
        let speedUp = seconds.flatMap { own in
            other.seconds.map { SpeedUp.possible($0 / own, from: full, to: spent) }
        }
        index = line.index
        evaluations = line.evaluations
        self.seconds = seconds
        self.speedUp = speedUp.flatMap { $0.isFinite ? $0 : nil }
        self.psnr = psnr.isFinite ? psnr : nil
        ssim = similarity.ssim
        multiScaleSSIM = similarity.multiScaleSSIM
        haarPSI = similarity.haarPSI
        highFrequencyEnergy = detail.isFinite ? detail : nil
        flicker = ImageMetrics.flicker(frames, against: otherFrames)
    }
}

/// What the pairs of two batches say together.
public struct BatchSummary: Codable, Equatable, Sendable {
    /// The mean over the images.
    public let evaluations: Double
    /// Over the images whose seconds are known; nil if none are.
    public let seconds: Quartiles?
    /// The other batch's seconds over this one's, pair by pair; nil where no pair has both.
    public let speedUp: Quartiles?
    /// Of the pictures of 8 bits.
    public let psnr: ComparisonSummary.Decibels
    /// Over the pairs whose pictures differ; nil where none do.
    public let psnrQuartiles: Quartiles?
    /// Structural similarity; nil for pictures too small for it.
    public let ssim: ComparisonSummary.MeanAndWorst?
    /// Over all pairs; nil for pictures too small for it.
    public let ssimQuartiles: Quartiles?
    /// Structural similarity over several scales; nil for pictures too small for it.
    public let multiScaleSSIM: ComparisonSummary.MeanAndWorst?
    /// The Haar wavelet-based perceptual similarity index; nil for pictures too small for it.
    public let haarPSI: ComparisonSummary.MeanAndWorst?
    /// The mean of the ratios to the other picture; nil where no picture of the other batch has any detail.
    public let highFrequencyEnergy: Double?
    /// Around ``highFrequencyEnergy``.
    public let highFrequencyEnergyInterval: MeanInterval?
    /// How much more the clips change from frame to frame than the others; nil for images.
    public let flicker: ComparisonSummary.MeanAndWorst?
    /// Around ``evaluations``.
    public let evaluationsInterval: MeanInterval?

    /// Sums up at least one pair.
    public init(_ pairs: [BatchPair]) {
        precondition(!pairs.isEmpty, "a summary of nothing")
        let energies = pairs.compactMap(\.highFrequencyEnergy)
        evaluations = pairs.reduce(0) { $0 + Double($1.evaluations) } / Double(pairs.count)
        seconds = Quartiles(unlessEmpty: pairs.compactMap(\.seconds))
        speedUp = Quartiles(unlessEmpty: pairs.compactMap(\.speedUp))
        psnr = ComparisonSummary.Decibels(pairs.map(\.psnr))
        psnrQuartiles = Quartiles(unlessEmpty: pairs.compactMap(\.psnr))
        ssim = ComparisonSummary.MeanAndWorst(pairs.map(\.ssim)) { $0.min() }
        ssimQuartiles = Quartiles(unlessEmpty: pairs.compactMap(\.ssim))
        multiScaleSSIM = ComparisonSummary.MeanAndWorst(pairs.map(\.multiScaleSSIM)) { $0.min() }
        haarPSI = ComparisonSummary.MeanAndWorst(pairs.map(\.haarPSI)) { $0.min() }
        highFrequencyEnergy = energies.isEmpty ? nil : energies.reduce(0, +) / Double(energies.count)
        highFrequencyEnergyInterval = MeanInterval(energies)
        flicker = ComparisonSummary.MeanAndWorst(flickers: pairs.map(\.flicker))
        evaluationsInterval = MeanInterval(pairs.map { Double($0.evaluations) })
    }
}
