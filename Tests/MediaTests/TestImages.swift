import Media

/// Pictures and random numbers that every run of the tests makes alike.
enum TestImages {
    /// Bytes without structure: byte i is (2654435761 i + 40503 seed) / 2^13 modulo 256.
    static func noise(width: Int, height: Int, channels: Int, seed: Int = 1) -> Image {
        let pixels = (0..<width * height * channels).map { UInt8((($0 * 2_654_435_761 + seed * 40503) >> 13) & 255) }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// A ramp that wraps around: sample (y, x, c) is 7x + 5y + 40c modulo 256.
    static func ramp(width: Int, height: Int, channels: Int) -> Image {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels { pixels.append(UInt8((7 * x + 5 * y + 40 * c) & 255)) }
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// One value everywhere.
    static func flat(_ value: UInt8, width: Int, height: Int, channels: Int) -> Image {
        Image(
            width: width, height: height, channels: channels,
            pixels: [UInt8](repeating: value, count: width * height * channels))
    }
}

/// Reads hexadecimal digits.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
