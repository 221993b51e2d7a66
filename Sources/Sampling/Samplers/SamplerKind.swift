/// The samplers, by their command-line names.
public enum SamplerKind: String, CaseIterable, Codable, Sendable {
    /// Denoising diffusion implicit models (Song et al., arXiv 2010.02502).
    case ddim
    /// Ancestral sampling (Ho et al., arXiv 2006.11239).
    case ddpm
    /// DPM-Solver++(2M) (Lu et al., arXiv 2211.01095).
    case dpmSolver = "dpm++2m"
    /// Euler's method along the path.
    case euler
    /// Heun's method along the path: second order, two evaluations per step.
    case heun
    /// Euler–Maruyama on a flow's stochastic equation (Ma et al., arXiv 2401.08740).
    case sde

    /// Whether the sampler works for models that predict `type`.
    public func supports(_ type: PredictionType) -> Bool {
        switch self {
        case .ddim, .ddpm: type != .flow
        case .dpmSolver, .euler, .heun: true
        case .sde: type == .flow
        }
    }
}
