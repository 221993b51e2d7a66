/// The frames of a clip in one picture, for formats that hold one: side by side, from left to right.
public enum FrameSheet {
    /// The gap between two frames, in pixels.
    static let padding = 2

    /// The picture of `frames`: the only frame itself, or all in a row.
    ///
    /// - Throws: what ``ImageGrid/arrange(_:columns:padding:background:)`` does.
    public static func picture(of frames: [Image]) throws(ImageError) -> Image {
        if frames.count == 1 { return frames[0] }
        return try ImageGrid.arrange(frames, columns: max(1, frames.count), padding: padding)
    }

    /// The size of the picture of `frames` frames of `width` x `height` pixels.
    ///
    /// - Throws: ``ImageError/tooLarge(what:limit:)`` where there can be none.
    public static func extents(
        width: Int, height: Int, frames: Int
    ) throws(ImageError) -> (width: Int, height: Int) {
        guard frames > 1 else { return (width, height) }
        try ImageGrid.check(width: width, height: height, count: frames, columns: frames, padding: padding)
        return (padding + frames * (width + padding), height + 2 * padding)
    }
}
