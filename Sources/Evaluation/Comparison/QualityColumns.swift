import Caching
import Media
import Reports

/// The columns on quality that the tables of all comparisons have: first what a user meets, in a terminal, too; then, on
/// pages, what else is measured.
struct QualityColumns {
    /// Whether any pictures are large enough for SSIM.
    let hasSSIM: Bool
    /// Whether any pictures are large enough for HaarPSI.
    let hasHaarPSI: Bool
    /// Whether any pictures are clips.
    let hasFlicker: Bool

    /// A row's similarities, and its flicker.
    typealias Measures = (
        ssim: ComparisonSummary.MeanAndWorst?, haarPSI: ComparisonSummary.MeanAndWorst?,
        flicker: ComparisonSummary.MeanAndWorst?
    )

    /// Columns for rows with these measures.
    init(_ rows: [Measures]) {
        hasSSIM = rows.contains { $0.ssim != nil }
        hasHaarPSI = rows.contains { $0.haarPSI != nil }
        hasFlicker = rows.contains { $0.flicker != nil }
    }

    /// The worst images and the middle one, and means.
    var leading: [HTMLTable.Column] {
        [
            HTMLTable.Column("5th pct", group: "PSNR (dB)", best: .greatest),
            HTMLTable.Column("flips %", group: "PSNR (dB)", best: .least),
            HTMLTable.Column("median", group: "PSNR (dB)", best: .greatest),
        ] + (hasSSIM ? [HTMLTable.Column("SSIM", best: .greatest)] : [])
            + (hasFlicker ? [HTMLTable.Column("flicker %")] : [])
            + [HTMLTable.Column("mean PSNR", best: .greatest)]
    }

    /// The cells of a row under ``leading``.
    func leading(
        _ psnr: ComparisonSummary.Decibels, _ ssim: ComparisonSummary.MeanAndWorst?,
        _ flicker: ComparisonSummary.MeanAndWorst?
    ) -> [HTMLTable.Cell] {
        let same = psnr.mean == nil ? 0 : psnr.identical
        return [
            .percentile(psnr.fifthPercentile), .percent(psnr.flips), .percentile(psnr.median),
        ] + (hasSSIM ? [.mean(ssim?.mean ?? .nan, ssim?.interval, digits: 4)] : []) + flickers(flicker) + [
            .mean(psnr.mean ?? .infinity, psnr.interval, digits: 1, suffix: same == 0 ? "" : " +\(same)∞")
        ]
    }

    /// The cells under ``leading`` of the pictures that the others are compared with.
    var ofReference: [HTMLTable.Cell] {
        [.number(.infinity, digits: 1), .number(0, digits: 1), .number(.infinity, digits: 1)]
            + (hasSSIM ? [.number(1, digits: 4)] : []) + (hasFlicker ? [.number(0, digits: 2)] : [])
            + [.number(.infinity, digits: 1)]
    }

    /// The flicker in percent.
    private func flickers(_ flicker: ComparisonSummary.MeanAndWorst?) -> [HTMLTable.Cell] {
        guard hasFlicker else { return [] }
        return [
            .number((flicker?.mean ?? .nan) * 100, digits: 2, margin: (flicker?.interval?.half ?? 0) * 100)
        ]
    }

    /// The measures of perception, on pages.
    var perception: [HTMLTable.Column] {
        (hasSSIM ? ["mean", "worst"].map { page($0, group: "MS-SSIM") } : [])
            + (hasHaarPSI ? ["mean", "worst"].map { page($0, group: "HaarPSI") } : [])
    }

    /// The cells of a row under ``perception``.
    func perception(
        multiScaleSSIM: ComparisonSummary.MeanAndWorst?, haarPSI: ComparisonSummary.MeanAndWorst?
    ) -> [HTMLTable.Cell] {
        (hasSSIM ? cells(multiScaleSSIM) : []) + (hasHaarPSI ? cells(haarPSI) : [])
    }

    private func page(_ title: String, group: String) -> HTMLTable.Column {
        HTMLTable.Column(title, group: group, best: .greatest, isOnPageOnly: true)
    }

    private func cells(_ measure: ComparisonSummary.MeanAndWorst?) -> [HTMLTable.Cell] {
        [
            .mean(measure?.mean ?? .nan, measure?.interval, digits: 4), .number(measure?.worst ?? .nan, digits: 4),
        ]
    }

    /// What ``leading`` means.
    var legend: String {
        Self.legend
            + (hasFlicker
                ? " PSNR and SSIM of a clip: means over its frames. flicker: how much more the clips change from frame to "
                    + "frame (mean absolute change)." : "")
    }

    private static let legend =
        "5th pct: one image in twenty is below it. flips: images below \(Int(ImageMetrics.flipBound)) dB, which are another "
        + "picture. Behind these and the median: the interval of 95 % over the images (order statistics, to 0 or ∞ where "
        + "there are too few images; Wilson's for the flips)."

    /// What the columns on pages mean.
    static let pageLegend =
        "MS-SSIM: structural similarity over as many of five scales as the pictures have. HaarPSI: the Haar wavelet-based "
        + "perceptual similarity index, which sees colour. Both are 1 for equal pictures."
}

extension HTMLTable.Cell {
    /// A mean, and the interval around it, if there is one.
    static func mean(_ mean: Double, _ interval: MeanInterval?, digits: Int, suffix: String = "") -> Self {
        .number(mean, digits: digits, margin: interval?.half ?? 0, suffix: suffix)
    }

    /// A percentile and its interval.
    fileprivate static func percentile(_ percentile: DecibelPercentile?) -> Self {
        guard let percentile else { return .number(.nan, digits: 1) }
        return .estimate(
            percentile.value ?? .infinity, low: percentile.low ?? .infinity, high: percentile.high ?? .infinity,
            digits: 1)
    }

    /// A share and its interval, in percent.
    fileprivate static func percent(_ share: Proportion?) -> Self {
        guard let share else { return .number(.nan, digits: 1) }
        return .estimate(share.share * 100, low: share.low * 100, high: share.high * 100, digits: 1)
    }
}

extension MeanInterval {
    /// What ± says in a table.
    static let legend = "±: the interval of 95 % around a mean, over the images (Student's t; of a difference, paired)."
}
