/// The sizes of pictures that a PixArt draws.
///
/// It was trained on pictures of one area in many shapes, which diffusers' pipelines call bins. Their sides are multiples
/// of a sixteenth of the square's.
///
/// Source: https://github.com/huggingface/diffusers, pipelines/pixart_alpha, version 0.42.1: ASPECT_RATIO_256_BIN,
/// ASPECT_RATIO_512_BIN and ASPECT_RATIO_1024_BIN, which are one table at three scales, and ASPECT_RATIO_2048_BIN.
enum PixArtSizes {
    /// A picture's height and width.
    typealias Size = (height: Int, width: Int)

    /// From wide to tall, in sixteenths of the square's side.
    private static let trained: [Size] = [
        (8, 32), (8, 29), (9, 28), (9, 27), (9, 26), (10, 25), (10, 24), (11, 23), (11, 22), (11, 21), (12, 21),
        (12, 20), (13, 19), (13, 18), (14, 18), (14, 17), (15, 17), (15, 16), (16, 16), (16, 15), (17, 15), (17, 14),
        (18, 14), (18, 13), (19, 13), (20, 12), (21, 12), (22, 11), (23, 11), (24, 10), (25, 10), (27, 9), (32, 8),
    ]

    /// The same for squares of 2048 pixels.
    private static let trainedAt2048: [Size] = [
        (8, 32), (8, 31), (8, 30), (8, 29), (9, 28), (9, 27), (9, 26), (10, 25), (10, 24), (11, 23), (11, 22), (11, 21),
        (12, 21), (12, 20), (13, 19), (13, 18), (14, 18), (14, 17), (15, 17), (15, 16), (16, 16), (16, 15), (17, 15),
        (17, 14), (18, 14), (18, 13), (19, 13), (20, 12), (21, 12), (22, 11), (23, 11), (24, 10), (25, 10), (26, 9),
        (27, 9), (28, 9), (29, 8), (30, 8), (31, 8), (32, 8),
    ]

    /// The sizes in pixels for latents of the training's side; nil where no list has been published.
    static func list(sampleSize: Int) -> [Size]? {
        let sixteenth = sampleSize * PixArtConfig.pixelsPerLatent / 16
        switch sampleSize {
        case 32, 64, 128: return trained.map { ($0.height * sixteenth, $0.width * sixteenth) }
        case 256: return trainedAt2048.map { ($0.height * sixteenth, $0.width * sixteenth) }
        default: return nil
        }
    }
}

extension PixArtConfig {
    /// How many of the sizes that can be drawn a message names.
    private static let named = 3

    public func sized(width: Int, height: Int) throws(ConfigProblem) -> PixArtConfig {
        guard let sizes = PixArtSizes.list(sampleSize: sampleSize) else {
            return try sizedFreely(width: width, height: height)
        }
        guard !sizes.contains(where: { $0 == (height, width) }) else {
            return try sized(latentHeight: height / Self.pixelsPerLatent, latentWidth: width / Self.pixelsPerLatent)
        }
        guard width > 0, height > 0 else {
            throw ConfigProblem("width \(width) and height \(height) are not both positive")
        }
        // As the pipelines choose the nearest one.
        let ratio = Double(height) / Double(width)
        func distance(_ size: PixArtSizes.Size) -> Double { abs(Double(size.height) / Double(size.width) - ratio) }
        let nearest = sizes.sorted { distance($0) < distance($1) }.prefix(Self.named)
        throw ConfigProblem(
            "the model was not trained on \(width) x \(height) pixels; the nearest of its sizes are "
                + nearest.map { "\($0.width) x \($0.height)" }.joined(separator: ", "))
    }

    /// Any size of whole patches, for models of whose training nothing is known.
    func sizedFreely(width: Int, height: Int) throws(ConfigProblem) -> PixArtConfig {
        let unit = Self.pixelsPerLatent * patchSize
        guard width > 0, height > 0, width.isMultiple(of: unit), height.isMultiple(of: unit) else {
            throw ConfigProblem(
                "the model cannot draw \(width) x \(height) pixels; width and height must be multiples of \(unit)")
        }
        return try sized(latentHeight: height / Self.pixelsPerLatent, latentWidth: width / Self.pixelsPerLatent)
    }
}
