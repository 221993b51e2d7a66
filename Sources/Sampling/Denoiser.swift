import Compute

/// Something that evaluates a set of guidance branches at one model call of one image's run.
///
/// A model is one, together with the image's condition. A cache is another that wraps any denoiser: it forwards the branches
/// that it wants evaluated and fills in the others' outputs itself. State is per image and branch; ``begin`` resets it.
public protocol Denoiser: AnyObject {
    /// Whether the outputs have a learned variance.
    var hasVariance: Bool { get }

    /// Starts a run: drops the state of the last one, and prepares what depends on the timesteps alone.
    ///
    /// - Parameters:
    ///   - calls: Every call that the run will make, in order.
    ///   - guidance: How the branches that the run will ask for are joined.
    ///   - shape: The latents' shape.
    /// - Throws: Whatever keeps the denoiser from serving this run.
    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws

    /// Writes the output of each of `branches` into its place; does not change the other outputs and the latents.
    ///
    /// - Parameters:
    ///   - branches: What to evaluate.
    ///   - call: The model call, one of those that ``begin(calls:guidance:shape:)`` was given.
    ///   - latents: The state x at the call's noise level.
    ///   - outputs: Preallocated; nothing may be allocated in here.
    /// - Throws: Whatever kept the outputs from being written; the run can then ask again.
    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs) throws
}

/// A set of guidance branches: the conditions under which the model is evaluated on the same latents.
public struct GuidanceBranches: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// With the condition: a class or a prompt.
    public static let conditional = GuidanceBranches(rawValue: 1 << 0)

    /// With the null condition.
    public static let unconditional = GuidanceBranches(rawValue: 1 << 1)

    /// The number of evaluations that the set costs.
    public var count: Int { rawValue.nonzeroBitCount }
}

/// The model's output for one guidance branch; allocated once per run, overwritten at every call.
public struct ModelOutput {
    /// The output e, in the latents' shape.
    public let prediction: Tensor

    /// The learned-range variance, in the latents' shape, if the model has one.
    public let variance: Tensor?

    /// Allocates the output for latents of `shape`.
    public init(shape: [Int], hasVariance: Bool) {
        prediction = Tensor(shape)
        variance = hasVariance ? Tensor(shape) : nil
    }
}

/// The outputs of every guidance branch of a run.
public struct BranchOutputs {
    public let conditional: ModelOutput

    /// Of the unconditional branch; the same object as ``conditional`` where the run does not evaluate it.
    public let unconditional: ModelOutput

    /// Allocates one output for each of `branches`.
    public init(branches: GuidanceBranches, shape: [Int], hasVariance: Bool) {
        conditional = ModelOutput(shape: shape, hasVariance: hasVariance)
        unconditional =
            branches.contains(.unconditional) ? ModelOutput(shape: shape, hasVariance: hasVariance) : conditional
    }
}
