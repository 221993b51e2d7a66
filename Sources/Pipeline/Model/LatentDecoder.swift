import Imaging
import Models
import Tensor

/// Turns a run's final latents into a picture.
public protocol LatentDecoder: Sendable {
    /// Decodes latents (C, H, W).
    func decode(_ latents: Tensor) throws -> Image
}

/// The identity: the latents of a pixel-space model are the picture.
public struct PixelDecoder: LatentDecoder {
    /// The values that stand for black and for full intensity.
    public let range: ClosedRange<Float>

    /// A decoder for pixels in `range`.
    public init(range: ClosedRange<Float>) {
        self.range = range
    }

    public func decode(_ latents: Tensor) throws -> Image {
        let (channels, height, width) = (latents.shape[0], latents.shape[1], latents.shape[2])
        return Image(
            planar: UnsafeBufferPointer(latents.values), width: width, height: height, channels: channels, range: range)
    }
}
