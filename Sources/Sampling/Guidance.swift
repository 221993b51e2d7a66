import Compute

/// Classifier-free guidance (Ho & Salimans, arXiv 2207.12598): e = u + g (c − u).
///
/// By default all latent channels are guided, as in diffusers' `DiTPipeline`. facebookresearch/DiT and willisma/SiT
/// guide only the first three (`forward_with_cfg` in their models.py) and take the others from the conditional branch,
/// and so make other images from the same weights; `channels: 3` is theirs. The learned variance is that of the
/// conditional branch either way.
public struct Guidance: Equatable, Sendable {
    /// g: 1 is the conditional model by itself.
    public let scale: Double

    /// How many channels are guided, from the first on; the others are the conditional branch's. `nil` for all.
    public let channels: Int?

    /// Guidance of the given strength.
    ///
    /// - Throws: ``SamplingError/guidanceScaleNotFinite(_:)`` or ``SamplingError/guidedChannelsOutOfRange(_:limit:)``;
    ///   a run throws the latter where its latents have fewer channels.
    public init(scale: Double, channels: Int? = nil) throws(SamplingError) {
        guard scale.isFinite else { throw .guidanceScaleNotFinite(scale) }
        if let channels, channels < 1 { throw .guidedChannelsOutOfRange(channels, limit: nil) }
        self.scale = scale
        self.channels = channels
    }

    /// The branches that have to be evaluated: at scale 1 the unconditional one cancels.
    public var branches: GuidanceBranches {
        scale == 1 ? .conditional : [.conditional, .unconditional]
    }

    /// Checks that latents of shape (C, H, W) have as many channels as are guided.
    ///
    /// - Throws: ``SamplingError/guidedChannelsOutOfRange(_:limit:)``.
    public func validate(for shape: [Int]) throws(SamplingError) {
        guard let channels, let limit = shape.first, channels > limit else { return }
        throw .guidedChannelsOutOfRange(channels, limit: limit)
    }

    /// Writes the guided prediction into `guided`, (C, H, W); at scale 1 it is the conditional one, bit for bit.
    func combine(_ outputs: BranchOutputs, into guided: Tensor) {
        let (c, u, e) = (outputs.conditional.prediction, outputs.unconditional.prediction.values, guided.values)
        guard scale != 1 else { return guided.copy(from: c) }
        let (conditional, scale) = (c.values, Float(scale))
        let unguided = unguided(in: guided)
        for i in 0..<unguided.lowerBound { e[i] = u[i] + scale * (conditional[i] - u[i]) }
        for i in unguided { e[i] = conditional[i] }
    }

    /// Replaces the channels of an unconditional output that guidance does not read by those of a conditional one, so that
    /// g c + (1 − g) u is the guided output everywhere.
    public func leaveUnguided(_ unconditional: Tensor, as conditional: Tensor) {
        let (u, c) = (unconditional.values, conditional.values)
        for i in unguided(in: unconditional) { u[i] = c[i] }
    }

    /// The elements of an output, (C, …), that are not guided: those of the last channels.
    private func unguided(in output: Tensor) -> Range<Int> {
        (channels.map { $0 * (output.count / output.shape[0]) } ?? output.count)..<output.count
    }
}
