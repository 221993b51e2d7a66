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

extension Image {
    /// Converts planes of numbers (channels, height, width) into bytes.
    ///
    /// A value x becomes round(255 · clamp((x − lo) / (hi − lo), 0, 1)), in single precision and with halves rounded to
    /// even. For -1...1 these are the bytes of diffusers' `VaeImageProcessor`, whose x/2 + 0.5 differs from (x + 1) / 2
    /// by an exact power of two only. NaN becomes 0. The ends of `range` become 0 and 255.
    public init(
        planar: some Collection<Float>, width: Int, height: Int, channels: Int, range: ClosedRange<Float> = -1...1
    ) {
        precondition(
            planar.count == width * height * channels,
            "\(planar.count) values do not fill \(channels)x\(height)x\(width)")
        precondition(range.lowerBound < range.upperBound, "the range \(range) is empty")
        let bytes =
            planar.withContiguousStorageIfAvailable { Self.quantise($0, range: range) }
            ?? Array(planar).withUnsafeBufferPointer { Self.quantise($0, range: range) }
        let pixels = channels == 1 ? bytes : Self.interleave(bytes, channels: channels)
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// Turns every value into a byte; a loop without branches or strides, which the compiler vectorises.
    private static func quantise(_ values: UnsafeBufferPointer<Float>, range: ClosedRange<Float>) -> [UInt8] {
        let low = range.lowerBound
        let extent = range.upperBound - low
        // At 2^23 a Float's unit in the last place is 1: the addition itself rounds to the nearest integer, halves to
        // even, and leaves it in the low bits. Unlike `rounded()` this needs no SSE4.1, so it always vectorises.
        let rounder: Float = 0x1p23
        return [UInt8](unsafeUninitializedCapacity: values.count) { bytes, count in
            for index in 0..<values.count {
                let share = (values[index] - low) / extent
                let positive = share > 0 ? share : 0
                let clamped = positive < 1 ? positive : 1
                bytes[index] = UInt8(truncatingIfNeeded: (clamped * 255 + rounder).bitPattern)
            }
            count = values.count
        }
    }

    /// Reorders planes (channels, height, width) into rows (height, width, channels).
    private static func interleave(_ planes: [UInt8], channels: Int) -> [UInt8] {
        let area = planes.count / channels
        return [UInt8](unsafeUninitializedCapacity: planes.count) { pixels, count in
            planes.withUnsafeBufferPointer { planes in
                for index in 0..<area {
                    for channel in 0..<channels {
                        pixels[index * channels + channel] = planes[channel * area + index]
                    }
                }
            }
            count = planes.count
        }
    }
}

/// An opaque colour of 8 bits per channel.
public struct Colour: Equatable, Sendable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public static let white = Colour(gray: 255)
    public static let black = Colour(gray: 0)

    public init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    public init(gray: UInt8) {
        self.init(red: gray, green: gray, blue: gray)
    }

    /// The samples of one pixel: three channels as they are, one channel as luma (ITU-R BT.601: 0.299, 0.587, 0.114).
    func samples(channels: Int) -> [UInt8] {
        guard channels == 1 else { return [red, green, blue] }
        let thousandths = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        return [UInt8((thousandths + 500) / 1000)]
    }
}
