/// An 8-bit picture: interleaved rows from top to bottom, one byte per channel.
public struct Image: Equatable, Sendable {
    /// Pixels per row, at least 1.
    public let width: Int

    /// The number of rows, at least 1.
    public let height: Int

    /// 1 for gray, 3 for red, green and blue.
    public let channels: Int

    /// All samples (height, width, channels), row-major and without gaps.
    public let pixels: [UInt8]

    /// Bytes per row.
    public var rowBytes: Int { width * channels }

    /// Wraps `pixels` (height, width, channels).
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "an image has at least one pixel, not \(width)x\(height)")
        precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
        precondition(
            pixels.count == width * height * channels,
            "\(pixels.count) bytes do not fill \(width)x\(height)x\(channels)")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// Whether `other` has the same width, height and number of channels.
    public func hasSameShape(as other: Image) -> Bool {
        width == other.width && height == other.height && channels == other.channels
    }
}
