/// The sizes beyond which a file is refused before memory is taken for it.
enum ImageLimits {
    /// The most pixels of an image: 16,384 squared.
    static let pixels = 1 << 28

    /// The most bytes that all compressed texts of one file may grow to.
    static let inflatedText = 1 << 22

    /// Whether an image of these extents may be held in memory.
    static func allow(width: Int, height: Int) -> Bool {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        return !overflow && count <= pixels
    }

    static func tooLarge(width: Int, height: Int) -> ImageError {
        .tooLarge(what: "an image of \(width)x\(height) pixels", limit: "\(pixels) pixels")
    }
}
