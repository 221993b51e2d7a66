import Glibc

/// The sinusoidal features of a timestep, as the two reference implementations compute them.
struct TimestepEmbedding {
    /// Half the number of features: as many cosines as sines.
    static let half = width / 2
    /// The number of features.
    static let width = 256

    private let frequencies: [Float]

    /// - Parameter frequencyShift: what is subtracted from 128 in the exponent's denominator.
    init(frequencyShift: Int) {
        // Single precision in the references' own order of operations: at t = 999 a frequency's last bit moves the
        // phase by 6e-5, more than the rest of the network's rounding.
        let scale = -Float(log(10_000.0))
        frequencies = (0..<Self.half).map { index in
            let exponent = scale * Float(index) / Float(Self.half - frequencyShift)
            return Float(exp(Double(exponent)))
        }
    }

    /// Writes 128 cosines, then 128 sines of t times the frequencies (Vaswani et al., arXiv 1706.03762, 3.5).
    func write(timestep: Double, to features: UnsafeMutablePointer<Float>) {
        for (index, frequency) in frequencies.enumerated() {
            let phase = Double(Float(timestep) * frequency)
            features[index] = Float(cos(phase))
            features[Self.half + index] = Float(sin(phase))
        }
    }
}
