import Compute
import Media
import Models

/// Turns a run's final latents into frames: one for an image.
public protocol LatentDecoder: Sendable {
    /// The values that stand for black and for full intensity.
    var range: ClosedRange<Float> { get }

    /// The frames of latents (C, H, W) or (C, F, H, W) before they are rounded: of each its planes (channels, height,
    /// width), not clamped to ``range``.
    func planes(of latents: Tensor) throws -> [Tensor]
}

extension LatentDecoder {
    /// Decodes latents to frames of 8 bits.
    public func decode(_ latents: Tensor) throws -> [Image] {
        try planes(of: latents).map(picture)
    }

    /// Rounds planes to 8 bits.
    package func picture(_ planes: Tensor) -> Image {
        withExtendedLifetime(planes) {
            Image(
                planar: UnsafeBufferPointer(planes.values), width: planes.shape[2], height: planes.shape[1],
                channels: planes.shape[0], range: range)
        }
    }
}

extension Tensor {
    /// The frames (C, H, W) of latents (C, F, H, W); the latents themselves where they are one.
    var frames: [Tensor] {
        guard shape.count == 4 else { return [self] }
        let (channels, count, plane) = (shape[0], shape[1], shape[2] * shape[3])
        return (0..<count).map { frame in
            let planes = Tensor([channels, shape[2], shape[3]])
            for channel in 0..<channels {
                (planes.pointer + channel * plane).update(
                    from: pointer + (channel * count + frame) * plane, count: plane)
            }
            return planes
        }
    }
}

/// The identity: the latents of a pixel-space model are the picture.
public struct PixelDecoder: LatentDecoder {
    public let range: ClosedRange<Float>

    /// A decoder for pixels in `range`.
    public init(range: ClosedRange<Float>) {
        self.range = range
    }

    public func planes(of latents: Tensor) throws -> [Tensor] { latents.frames }
}

/// The decoder of an autoencoder, frame by frame.
struct AutoencoderDecoder: LatentDecoder {
    let range: ClosedRange<Float> = -1...1
    private let autoencoder: any ImageAutoencoder
    private let workers: Workers

    init(_ autoencoder: any ImageAutoencoder, workers: Workers) {
        self.autoencoder = autoencoder
        self.workers = workers
    }

    func planes(of latents: Tensor) throws -> [Tensor] {
        latents.frames.map { autoencoder.decode($0, workers: workers) }
    }
}
