import Tensor

/// Classifier-free guidance (Ho & Salimans, arXiv 2207.12598): e = u + g (c − u).
///
/// All latent channels are guided, as in diffusers' `DiTPipeline`; facebookresearch/DiT guides only the first three
/// (its `forward_with_cfg`) and so makes other images from the same weights. The learned variance is that of the
/// conditional branch.
public struct Guidance: Equatable, Sendable {
    /// g: 1 is the conditional model by itself.
    public let scale: Double

    /// Guidance of the given strength.
    ///
    /// - Throws: ``SamplingError/guidanceScaleNotFinite(_:)``.
    public init(scale: Double) throws(SamplingError) {
        guard scale.isFinite else { throw .guidanceScaleNotFinite(scale) }
        self.scale = scale
    }

    /// The branches that have to be evaluated: at scale 1 the unconditional one cancels.
    public var branches: GuidanceBranches {
        scale == 1 ? .conditional : [.conditional, .unconditional]
    }

    /// Writes the guided prediction into `guided`; at scale 1 it is the conditional one, bit for bit.
    func combine(_ outputs: BranchOutputs, into guided: Tensor) {
        let (c, u, e) = (outputs.conditional.prediction, outputs.unconditional.prediction.values, guided.values)
        guard scale != 1 else { return guided.copy(from: c) }
        let (conditional, scale) = (c.values, Float(scale))
        for i in 0..<e.count { e[i] = u[i] + scale * (conditional[i] - u[i]) }
    }
}
