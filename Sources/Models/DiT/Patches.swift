import Compute

/// The two rearrangements between an image (C, H, W) and its tokens, in row order.
enum Patches {
    /// Gathers each patch into a row: (T, C P P), channel first, then the patch's rows, then its columns, as a
    /// convolution's kernel (D, C, P, P) is stored.
    static func gather(
        _ image: UnsafePointer<Float>, channels: Int, size: Int, patch: Int, into rows: UnsafeMutablePointer<Float>
    ) {
        let across = size / patch
        var target = rows
        for token in 0..<across * across {
            let top = token / across * patch
            let left = token % across * patch
            for channel in 0..<channels {
                for y in 0..<patch {
                    let source = image + (channel * size + top + y) * size + left
                    target.update(from: source, count: patch)
                    target += patch
                }
            }
        }
    }

    /// Scatters rows (T, P P C), channel last, back into an image (C, H, W).
    static func scatter(
        _ rows: UnsafePointer<Float>, channels: Int, size: Int, patch: Int, into image: UnsafeMutablePointer<Float>
    ) {
        let across = size / patch
        var source = rows
        for token in 0..<across * across {
            let top = token / across * patch
            let left = token % across * patch
            for y in 0..<patch {
                for x in 0..<patch {
                    for channel in 0..<channels {
                        image[(channel * size + top + y) * size + left + x] = source[channel]
                    }
                    source += channels
                }
            }
        }
    }
}
