import Caching
import Media

/// What a strategy's pairs say together.
public struct ComparisonSummary: Codable, Equatable, Sendable {
    /// The mean over the pairs.
    public let evaluations: Double
    /// The median over the pairs; nil where time is not measured.
    public let seconds: Double?
    /// The uncached run's seconds over the strategy's, pair by pair; nil where time is not measured.
    public let speedUp: Quartiles?
    /// Of the pictures before they are rounded to 8 bits.
    public let psnr: Decibels
    /// Of the pictures of 8 bits.
    public let psnr8: Decibels
    /// Structural similarity; nil for pictures too small for it.
    public let ssim: MeanAndWorst?
    /// Structural similarity over several scales; nil for pictures too small for it.
    public let multiScaleSSIM: MeanAndWorst?
    /// The Haar wavelet-based perceptual similarity index; nil for pictures too small for it.
    public let haarPSI: MeanAndWorst?
    /// The relative error of the final latents; nil if a run has diverged.
    public let latentError: MeanAndWorst?
    /// The mean of the ratios to the uncached picture; nil where no uncached picture has any detail.
    public let highFrequencyEnergy: Double?
    /// Around ``highFrequencyEnergy``.
    public let highFrequencyEnergyInterval: MeanInterval?
    /// How much more the clips change from frame to frame than the uncached ones; nil for images.
    public let flicker: MeanAndWorst?
    /// Around ``evaluations``.
    public let evaluationsInterval: MeanInterval?
    /// The PSNR less that of the reference strategy, pair by pair; nil where ``wins`` is.
    public let psnrDifference: Difference?
    /// The share of pairs in which the reference strategy has the higher PSNR; nil for the reference itself, and where it
    /// cannot reach the budget.
    public let wins: Double?
    /// The share of pairs in which both have the same PSNR.
    public let ties: Double?

    /// Decibels over the pairs, of which some can be infinite.
    public struct Decibels: Codable, Equatable, Sendable {
        /// Over the pairs whose pictures differ; nil where none do.
        public let mean: Double?
        /// Around ``mean``; nil where fewer than two pictures differ.
        public let interval: MeanInterval?
        /// The least; nil where no pictures differ.
        public let worst: Double?
        /// How many pairs are the same picture, with an infinite PSNR that is part of no mean.
        public let identical: Int
        /// What half of the pairs are below; nil in reports of earlier versions.
        public let median: DecibelPercentile?
        /// What one pair in twenty is below; nil in reports of earlier versions.
        public let fifthPercentile: DecibelPercentile?
        /// The pairs below ``/Media/ImageMetrics/flipBound``; nil in reports of earlier versions.
        public let flips: Proportion?

        /// Sums up one value per pair, of which there is at least one; nil is infinite.
        public init(_ values: [Double?]) {
            let finite = values.compactMap(\.self)
            mean = finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count)
            interval = MeanInterval(finite)
            worst = finite.min()
            identical = values.count - finite.count
            median = DecibelPercentile(0.5, of: values)
            fifthPercentile = DecibelPercentile(0.05, of: values)
            flips = Proportion(finite.count { $0 < ImageMetrics.flipBound }, of: values.count)
        }
    }

    /// A mean, and the value that is farthest on the bad side.
    public struct MeanAndWorst: Codable, Equatable, Sendable {
        public let mean: Double
        /// Around ``mean``; nil for a single pair.
        public let interval: MeanInterval?
        public let worst: Double

        /// Sums up one value per pair, `worst` being the one on the bad side; nil when one of them does not exist.
        public init?(_ values: [Double?], worst: ([Double]) -> Double?) {
            let known = values.compactMap(\.self)
            guard known.count == values.count, let worst = worst(known) else { return nil }
            mean = known.reduce(0, +) / Double(known.count)
            interval = MeanInterval(known)
            self.worst = worst
        }

        /// Sums up the flicker of pairs, of which the one farthest from 0 is the worst; nil where none is known.
        init?(flickers: [Double?]) {
            self.init(flickers.compactMap(\.self).map(Optional.some)) { $0.max { abs($0) < abs($1) } }
        }
    }

    /// The mean of what two strategies differ by on the same images.
    public struct Difference: Codable, Equatable, Sendable {
        /// Over the pairs in which neither picture is the uncached one.
        public let mean: Double
        /// Around ``mean``, of the differences themselves; nil for a single one.
        public let interval: MeanInterval?

        /// Takes `others` from `values`, place by place; nil where no place has both.
        init?(_ values: [Double?], less others: [Double?]) {
            let differences = zip(values, others).compactMap { value, other in
                value.flatMap { value in other.map { value - $0 } }
            }
            guard !differences.isEmpty else { return nil }
            mean = differences.reduce(0, +) / Double(differences.count)
            interval = MeanInterval(differences)
        }
    }

    /// Sums the pairs up.
    ///
    /// - Parameters:
    ///   - pairs: at least one.
    ///   - reference: the reference strategy's pairs of the same budget, in the same order; nil where there are none.
    public init(_ pairs: [PairMeasure], reference: [PairMeasure]?) {
        precondition(!pairs.isEmpty, "a summary of nothing")
        func share(_ holds: (_ reference: PairMeasure, _ pair: PairMeasure) -> Bool) -> Double? {
            guard let reference else { return nil }
            return Double(zip(reference, pairs).count { holds($0, $1) }) / Double(pairs.count)
        }
        let energies = pairs.compactMap(\.highFrequencyEnergy)
        evaluations = pairs.reduce(0) { $0 + $1.evaluations } / Double(pairs.count)
        seconds = Quartiles(unlessEmpty: pairs.compactMap(\.seconds))?.median
        speedUp = Quartiles(unlessEmpty: pairs.compactMap(\.speedUp))
        psnr = Decibels(pairs.map(\.psnr))
        psnr8 = Decibels(pairs.map(\.psnr8))
        ssim = MeanAndWorst(pairs.map(\.ssim)) { $0.min() }
        multiScaleSSIM = MeanAndWorst(pairs.map(\.multiScaleSSIM)) { $0.min() }
        haarPSI = MeanAndWorst(pairs.map(\.haarPSI)) { $0.min() }
        latentError = MeanAndWorst(pairs.map(\.latentError)) { $0.max() }
        highFrequencyEnergy = energies.isEmpty ? nil : energies.reduce(0, +) / Double(energies.count)
        highFrequencyEnergyInterval = MeanInterval(energies)
        flicker = MeanAndWorst(flickers: pairs.map(\.flicker))
        evaluationsInterval = MeanInterval(pairs.map(\.evaluations))
        psnrDifference = reference.flatMap { Difference(pairs.map(\.psnr), less: $0.map(\.psnr)) }
        wins = share { $0.isNearer(than: $1) }
        ties = share { $0.isAsNear(as: $1) }
    }
}
