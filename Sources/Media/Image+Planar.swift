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
