import Imaging
import Models
import Tensor

/// Turns a run's final latents into a picture.
public protocol LatentDecoder: Sendable {
    /// The values that stand for black and for full intensity.
    var range: ClosedRange<Float> { get }

    /// The picture of latents (C, H, W) before it is rounded: planes (channels, height, width), not clamped to
    /// ``range``.
    func planes(of latents: Tensor) throws -> Tensor
}

extension LatentDecoder {
    /// Decodes latents (C, H, W) to a picture of 8 bits.
    public func decode(_ latents: Tensor) throws -> Image {
        picture(try planes(of: latents))
    }

    /// Rounds planes to 8 bits.
    func picture(_ planes: Tensor) -> Image {
        withExtendedLifetime(planes) {
            Image(
                planar: UnsafeBufferPointer(planes.values), width: planes.shape[2], height: planes.shape[1],
                channels: planes.shape[0], range: range)
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

    public func planes(of latents: Tensor) throws -> Tensor { latents }
}

/// The decoder of an autoencoder.
struct AutoencoderDecoder: LatentDecoder {
    let range: ClosedRange<Float> = -1...1
    private let autoencoder: any ImageAutoencoder
    private let workers: Workers

    init(_ autoencoder: any ImageAutoencoder, workers: Workers) {
        self.autoencoder = autoencoder
        self.workers = workers
    }

    func planes(of latents: Tensor) throws -> Tensor {
        autoencoder.decode(latents, workers: workers)
    }
}
