/// The bounds of an autoencoder's sizes: far above every published one, and so low that no product of them overflows.
enum AutoencoderBounds {
    static let levels = 1...8
    static let layers = 1...64
    static let widths = 1...(1 << 13)
    private static let latentChannels = 1...(1 << 10)

    /// Checks that `value` lies in `bounds`.
    static func check(_ value: Int, _ bounds: ClosedRange<Int>, _ key: String) throws(ConfigProblem) {
        guard bounds.contains(value) else {
            throw ConfigProblem("\(key) is \(value), not in \(bounds.lowerBound)...\(bounds.upperBound)")
        }
    }

    /// Checks the channels of latents and of the image, which must be grey or coloured.
    static func checkChannels(latent: Int, image: Int) throws(ConfigProblem) {
        try check(latent, latentChannels, "latent_channels")
        guard image == 1 || image == 3 else {
            throw ConfigProblem("out_channels is \(image); only 1 and 3 are supported")
        }
    }

    /// Checks the numbers that latents are scaled with, as single precision knows them.
    static func checkFactors(scaling: Double, shift: Double) throws(ConfigProblem) {
        guard scaling > 0, Float(scaling) > 0, Float(1 / scaling).isFinite, Float(1 / scaling) > 0 else {
            throw ConfigProblem("scaling_factor is \(scaling), not a positive number")
        }
        guard Float(shift).isFinite else {
            throw ConfigProblem("shift_factor is \(shift), not a finite number")
        }
    }
}
