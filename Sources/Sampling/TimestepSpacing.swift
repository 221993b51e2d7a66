/// Which of the training timesteps a run of fewer steps visits, always from noise to image.
///
/// The first three are table 2 of Lin et al. (arXiv 2305.08891) with the numbers of diffusers' schedulers.
///
/// A sampler goes from each timestep to the next one of the list, and from the last one to the clean image, as in the
/// official DiT (`SpacedDiffusion`) and in diffusers' multistep solvers. Where the timesteps are irregular (linspace, most
/// trailing lists), diffusers' `DDIMScheduler` updates the state to timestep t − ⌊T/N⌋ and then hands it to the model as if
/// it were at the next timestep of the list: ``SamplerOptions/StepRule/diffusers``.
public enum TimestepSpacing: String, CaseIterable, Codable, Sendable {
    /// Multiples of T/N rounded down, the last one 0 (plus an offset that some models want).
    case leading
    /// T − 1 down in equal strides, each rounded: the first one is the noisiest timestep.
    case trailing
    /// T − 1 down to 0, both included.
    case linspace
    /// The list that the official DiT makes of a plain step count (`space_timesteps` in facebookresearch/DiT,
    /// diffusion/respace.py): linspace by summed strides. Its other form, `ddimN`, is ``leading`` where N divides T.
    case respaced

    /// Whether the spacing has a meaning for flow models, whose time runs from 1 to 0 without a table.
    ///
    /// The times of ``SamplerKind/sde`` are evenly spaced with both of theirs.
    public func supports(_ type: PredictionType) -> Bool {
        type != .flow || self == .linspace || self == .trailing
    }

    /// The timesteps of a variance-preserving run, strictly falling.
    ///
    /// - Parameters:
    ///   - steps: N.
    ///   - total: T, the length of the training schedule.
    ///   - offset: Added to every timestep of leading spacing.
    ///   - dropsLast: Whether the list is made one longer and its last timestep dropped, as diffusers'
    ///     `DPMSolverMultistepScheduler` does for leading and linspace: the clean image stands in for the last.
    ///   - singleIsLast: Whether a single step of linspace is made from timestep 0, as by diffusers' `DDIMScheduler`.
    /// - Returns: N timesteps.
    /// - Throws: ``SamplingError/stepsOutOfRange(steps:limits:spacing:)`` or
    ///   ``SamplingError/offsetOutOfRange(offset:limit:)``.
    func timesteps(
        steps: Int, trainTimesteps total: Int, offset: Int = 0, dropsLast: Bool = false, singleIsLast: Bool = false
    ) throws(SamplingError) -> [Int] {
        let dropsLast = dropsLast && (self == .leading || self == .linspace) && total > 1
        let limit = dropsLast ? total - 1 : total
        guard (1...limit).contains(steps) else {
            throw .stepsOutOfRange(steps: steps, limits: 1...limit, spacing: self)
        }
        let count = steps + (dropsLast ? 1 : 0)
        let rising: [Int]
        switch self {
        case .leading:
            let stride = total / count
            let largest = (count - 1) * stride
            guard (0...(total - 1 - largest)).contains(offset) else {
                throw .offsetOutOfRange(offset: offset, limit: total - 1 - largest)
            }
            rising = (0..<count).map { $0 * stride + offset }
        case .trailing:
            rising = Self.trailing(count, of: total).reversed()
        case .linspace:
            rising = count == 1 && singleIsLast ? [0] : Self.linspace(count, of: total)
        case .respaced:
            rising = Self.respaced(count, of: total)
        }
        return rising.reversed().dropLast(dropsLast ? 1 : 0)
    }

    /// A flow's noise times before shifting, from 1 down; the run ends at 0.
    ///
    /// Linspace is what diffusers' `FlowMatchEulerDiscreteScheduler` makes of a step count: evenly spaced from the
    /// largest to the smallest σ of the (shifted) training schedule. Trailing is 1, 1 − 1/N, …, 1/N, the list that
    /// pipelines of rectified-flow models hand to it, and the official SiT's (whose `num_steps` counts the end as well).
    func flowTimes(steps: Int, trainTimesteps: Int, shift: Double) throws(SamplingError) -> [Double] {
        guard (1...trainTimesteps).contains(steps) else {
            throw .stepsOutOfRange(steps: steps, limits: 1...trainTimesteps, spacing: self)
        }
        switch self {
        case .trailing:
            return (0..<steps).map { Double(steps - $0) / Double(steps) }
        case .linspace:
            let smallest = Self.shifted(1 / Double(trainTimesteps), by: shift)
            return (0..<steps).map { 1 - (1 - smallest) * Double($0) / Double(max(steps - 1, 1)) }
        case .leading, .respaced:
            throw .unsupportedSpacing(self, .flow)
        }
    }

    /// σ moved towards noise by `shift` (arXiv 2403.03206, eq. 23).
    static func shifted(_ sigma: Double, by shift: Double) -> Double {
        shift * sigma / (1 + (shift - 1) * sigma)
    }

    /// `numpy.arange(T, 0, -T/N)` rounded, less 1. NumPy takes the stride to be the difference of the first two
    /// elements, and its rounding errors decide ties. The reference's list has an element too many, timestep −1, where
    /// T/N was rounded down (``referenceOvershoots(_:of:)``); here it has N.
    private static func trailing(_ count: Int, of total: Int) -> [Int] {
        let start = Double(total)
        let stride = (start - start / Double(count)) - start
        return (0..<count).map { Int((start + Double($0) * stride).rounded(.toNearestOrEven)) - 1 }
    }

    /// Whether the reference's list has an element too many: of 1000 timesteps for 62 step counts, the first is 61.
    ///
    /// `numpy.arange(T, 0, -T/N)` has ⌈(0 − T) / (−T/N)⌉ elements.
    public static func referenceOvershoots(_ steps: Int, of trainTimesteps: Int) -> Bool {
        let stride = Double(trainTimesteps) / Double(steps)
        return Int((Double(trainTimesteps) / stride).rounded(.up)) > steps
    }

    /// `numpy.linspace(0, T − 1, N)` rounded; a single step is the noisiest timestep (the reference's is timestep 0,
    /// from where no image comes).
    private static func linspace(_ count: Int, of total: Int) -> [Int] {
        guard count > 1 else { return [total - 1] }
        let stride = Double(total - 1) / Double(count - 1)
        return (0..<count - 1).map { Int((Double($0) * stride).rounded(.toNearestOrEven)) } + [total - 1]
    }

    /// The running sum of the stride, rounded; a single step is treated as in ``linspace(_:of:)``.
    private static func respaced(_ count: Int, of total: Int) -> [Int] {
        guard count > 1 else { return [total - 1] }
        let stride = Double(total - 1) / Double(count - 1)
        var position = 0.0
        return (0..<count).map { _ in
            defer { position += stride }
            return Int(position.rounded(.toNearestOrEven))
        }
    }
}
