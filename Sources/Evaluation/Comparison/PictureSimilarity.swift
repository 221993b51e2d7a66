import Media

/// The measures of two pictures that are 1 for equal ones. Each is nil where the pictures are too small for it.
struct PictureSimilarity {
    let ssim: Double?
    let multiScaleSSIM: Double?
    let haarPSI: Double?

    /// Measures a picture against another.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    init(_ picture: Image, _ other: Image) throws(ImageError) {
        func unlessTooSmall(
            _ measure: (Image, Image) throws(ImageError) -> Double
        ) throws(ImageError) -> Double? {
            do throws(ImageError) {
                return try measure(picture, other)
            } catch .tooSmall {
                return nil
            }
        }
        ssim = try unlessTooSmall(ImageMetrics.ssim)
        multiScaleSSIM = try unlessTooSmall(ImageMetrics.multiScaleSSIM)
        haarPSI = try unlessTooSmall(ImageMetrics.haarPSI)
    }

    /// The means over pairs of frames of one size.
    ///
    /// - Throws: ``ImageError/shapesDiffer(first:second:)``.
    init(frames: [Image], _ others: [Image]) throws(ImageError) {
        var pairs: [PictureSimilarity] = []
        for (frame, other) in zip(frames, others) { pairs.append(try PictureSimilarity(frame, other)) }
        func mean(_ values: [Double]) -> Double? {
            values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        ssim = mean(pairs.compactMap(\.ssim))
        multiScaleSSIM = mean(pairs.compactMap(\.multiScaleSSIM))
        haarPSI = mean(pairs.compactMap(\.haarPSI))
    }
}
