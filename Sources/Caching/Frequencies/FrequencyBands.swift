import Glibc

/// Which band each coefficient of a cosine transform belongs to, by its radial frequency.
///
/// The radius of coefficient (i, j) is √((i/H)² + (j/W)²)/√2, from 0 (the mean) to almost 1; the bands' edges grow with
/// the square of their number, so that low frequencies, where images have most of their energy, are told apart finely.
public struct FrequencyBands: Equatable, Sendable {
    /// The number of bands.
    public let count: Int

    /// The band of each coefficient of one plane, (H, W) in row-major order.
    public let indices: [UInt8]

    /// Bands for latents of `shape` (C, H, W) or (C, F, H, W).
    public init(shape: [Int], count: Int) {
        precondition(shape.count >= 3 && (1...255).contains(count), "bands of latents (C, H, W), not \(shape)")
        self.count = count
        let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        indices = (0..<height * width).map { position in
            let (i, j) = (Double(position / width) / Double(height), Double(position % width) / Double(width))
            let radius = ((i * i + j * j) / 2).squareRoot()
            return UInt8(min(count - 1, Int(Double(count) * radius.squareRoot())))
        }
    }
}
