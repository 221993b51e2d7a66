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
        let pixels =
            planar.withContiguousStorageIfAvailable { Self.interleave($0, channels: channels, range: range) }
            ?? Array(planar).withUnsafeBufferPointer { Self.interleave($0, channels: channels, range: range) }
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    private static func interleave(
        _ values: UnsafeBufferPointer<Float>, channels: Int, range: ClosedRange<Float>
    ) -> [UInt8] {
        let area = values.count / channels
        return [UInt8](unsafeUninitializedCapacity: values.count) { bytes, count in
            for channel in 0..<channels {
                let plane = UnsafeBufferPointer(rebasing: values[channel * area..<(channel + 1) * area])
                quantise(plane, range: range, into: bytes, offset: channel, stride: channels)
            }
            count = values.count
        }
    }

    /// Writes one plane to every `stride`-th byte from `offset` on.
    private static func quantise(
        _ plane: UnsafeBufferPointer<Float>, range: ClosedRange<Float>,
        into bytes: UnsafeMutableBufferPointer<UInt8>, offset: Int, stride: Int
    ) {
        let low = range.lowerBound
        let extent = range.upperBound - low
        // At 2^23 a Float's unit in the last place is 1: the addition itself rounds to the nearest integer, halves to
        // even, and leaves it in the low bits. Unlike `rounded()` this needs no SSE4.1, so it always vectorises.
        let rounder: Float = 0x1p23
        for index in 0..<plane.count {
            let share = (plane[index] - low) / extent
            let positive = share > 0 ? share : 0
            let clamped = positive < 1 ? positive : 1
            bytes[offset &+ index &* stride] = UInt8(truncatingIfNeeded: (clamped * 255 + rounder).bitPattern)
        }
    }
}
