import Glibc

/// How much noise ``SamplerKind/sde`` adds, and takes away again by the score, as time goes on: w.
///
/// The forms of SiT (arXiv 2401.08740; github.com/willisma/SiT, transport/path.py), with c the norm and
/// t = 1 − τ the time towards the data. In the limit of small steps all of them end in the same distribution.
public enum DiffusionForm: String, CaseIterable, Codable, Sendable {
    /// c.
    case constant
    /// c (α̇/α σ² − σ̇ σ), that of score-based diffusion models; infinite where α = 0.
    case scoreBased = "sbdm"
    /// c σ.
    case sigma
    /// c (1 − t).
    case linear
    /// (c cos(πt) + 1)²/4.
    case decreasing
    /// c sin²(πt).
    case increasingDecreasing = "increasing-decreasing"

    /// w at a flow's level.
    func coefficient(at level: NoiseLevel, norm: Double) -> Double {
        let time = 1 - level.pathPosition
        switch self {
        case .constant: return norm
        case .scoreBased: return norm * level.noise * level.rates.determinant / level.signal
        case .sigma: return norm * level.noise
        case .linear: return norm * level.pathPosition
        case .decreasing:
            let root = norm * cos(.pi * time) + 1
            return root * root / 4
        case .increasingDecreasing:
            let root = sin(.pi * time)
            return norm * root * root
        }
    }
}

/// The last step of ``SamplerKind/sde``, which adds no noise.
public enum LastStep: String, CaseIterable, Codable, Sendable {
    /// The mean of one more step of the stochastic equation.
    case mean
    /// The estimate of x0 (Tweedie's formula).
    case tweedie
    /// A step of the flow, without the score.
    case euler
}
