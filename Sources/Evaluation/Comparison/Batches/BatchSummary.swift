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
    /// The mean of the ratios to the other picture; nil where no picture of the other batch has any detail.
    public let highFrequencyEnergy: Double?
    /// Around ``highFrequencyEnergy``.
    public let highFrequencyEnergyInterval: MeanInterval?
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
        highFrequencyEnergy = energies.isEmpty ? nil : energies.reduce(0, +) / Double(energies.count)
        highFrequencyEnergyInterval = MeanInterval(energies)
        evaluationsInterval = MeanInterval(pairs.map { Double($0.evaluations) })
    }
}
