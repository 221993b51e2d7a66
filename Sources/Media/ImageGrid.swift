/// Arranges images of one size in rows and columns.
public enum ImageGrid {
    /// Draws `images` row by row into one image, `padding` pixels of `background` between them and around them.
    ///
    /// A last row that is not full ends in background. Fewer images than columns make one row of just these.
    ///
    /// - Throws: ``ImageError/emptyGrid`` without images, ``ImageError/shapesDiffer(first:second:)`` unless all
    ///   agree in shape, ``ImageError/tooLarge(what:limit:)`` beyond 2^28 pixels.
    public static func arrange(
        _ images: [Image], columns: Int, padding: Int = 2, background: Colour = .white
    ) throws(ImageError) -> Image {
        precondition(columns > 0, "a grid has at least one column, not \(columns)")
        precondition(padding >= 0, "padding cannot be negative: \(padding)")
        guard let first = images.first else { throw .emptyGrid }
        for image in images where !image.hasSameShape(as: first) { throw .shapesDiffer(first, image) }

        let (columns, width, height) = try extents(
            width: first.width, height: first.height, count: images.count, columns: columns, padding: padding)
        let channels = first.channels
        let pixel = background.samples(channels: channels)
        var pixels = [UInt8](repeating: pixel[0], count: width * height * channels)
        if Set(pixel).count > 1 {
            for index in pixels.indices { pixels[index] = pixel[index % channels] }
        }
        for (index, image) in images.enumerated() {
            let left = padding + index % columns * (first.width + padding)
            let top = padding + index / columns * (first.height + padding)
            for y in 0..<first.height {
                let target = ((top + y) * width + left) * channels
                let source = y * first.rowBytes
                pixels.replaceSubrange(
                    target..<target + first.rowBytes, with: image.pixels[source..<source + first.rowBytes])
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// Checks that a grid of `count` images, or clips of so many frames, of the given size can be held in memory.
    ///
    /// - Throws: ``ImageError/tooLarge(what:limit:)`` beyond 2^28 pixels.
    public static func check(
        width: Int, height: Int, frames: Int = 1, count: Int, columns: Int, padding: Int = 2
    ) throws(ImageError) {
        let whole = try extents(width: width, height: height, count: count, columns: columns, padding: padding)
        try ImageLimits.check(width: whole.width, height: whole.height, frames: frames)
    }

    private static func extents(
        width: Int, height: Int, count: Int, columns: Int, padding: Int
    ) throws(ImageError) -> (columns: Int, width: Int, height: Int) {
        let columns = min(columns, count)
        let rows = (count + columns - 1) / columns
        let whole = (width: padding + columns * (width + padding), height: padding + rows * (height + padding))
        guard ImageLimits.allow(width: whole.width, height: whole.height) else {
            throw ImageLimits.tooLarge(width: whole.width, height: whole.height)
        }
        return (columns, whole.width, whole.height)
    }
}
