extension ImageMetrics {
    /// The energy of an image's finest detail, in squared levels per sample, from 0 to 127.5².
    ///
    /// The mean over all samples of all channels of (Laplacian / 8)², the Laplacian being 4 times a sample less its four
    /// neighbours; at the borders the image is mirrored about its outermost samples. A wave of angular frequency
    /// (v, w) passes with the amplitude ((1 - cos v) + (1 - cos w)) / 4: 0 for what is even, 1 for a checkerboard, and
    /// at half the Nyquist frequency across and down a half. The energies of an image and of its reference, divided,
    /// show ripple (above 1) or lost detail (below 1) where their PSNR cannot tell one from the other.
    public static func highFrequencyEnergy(_ image: Image) -> Double {
        let (width, height, channels) = (image.width, image.height, image.channels)
        let pixels = image.pixels
        var sum = 0
        for y in 0..<height {
            let above = (y > 0 ? y - 1 : min(1, height - 1)) * width
            let below = (y < height - 1 ? y + 1 : max(0, height - 2)) * width
            for x in 0..<width {
                let left = x > 0 ? x - 1 : min(1, width - 1)
                let right = x < width - 1 ? x + 1 : max(0, width - 2)
                for channel in 0..<channels {
                    func level(_ index: Int) -> Int { Int(pixels[index * channels + channel]) }
                    let neighbours =
                        level(above + x) + level(below + x) + level(y * width + left) + level(y * width + right)
                    let laplacian = 4 * level(y * width + x) - neighbours
                    sum += laplacian * laplacian
                }
            }
        }
        return Double(sum) / 64 / Double(pixels.count)
    }
}
