/// The extents of a model's latents. An image has one frame; neither images nor frames need be square.
public struct LatentShape: Hashable, Sendable {
    /// C.
    public let channels: Int
    /// F, 1 for images.
    public let frames: Int
    /// H.
    public let height: Int
    /// W.
    public let width: Int

    /// Joins the extents.
    public init(channels: Int, frames: Int = 1, height: Int, width: Int) {
        self.channels = channels
        self.frames = frames
        self.height = height
        self.width = width
    }

    /// The shape of a tensor that holds them: (C, H, W) for images, else (C, F, H, W).
    public var dimensions: [Int] { (frames == 1 ? [channels] : [channels, frames]) + [height, width] }

    /// The number of elements.
    public var count: Int { channels * frames * height * width }
}
