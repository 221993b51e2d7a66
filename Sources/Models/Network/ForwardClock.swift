import Compute
import Dispatch
import Synchronization

/// Measures where the time of forwards goes, thread by thread, while it hangs in a ``ForwardWorkspace``.
///
/// Every task of a parallel loop is timed on the thread that runs it. What is left of all threads' time between the
/// beginning and the end of a forward is waiting: for the others at the end of a loop, and for the loop to start.
public final class ForwardClock: Sendable {
    /// A kind of work of a forward.
    public enum Region: Int, CaseIterable, Sendable {
        /// Latents to tokens, and tokens back to latents.
        case embedding
        /// Layer norm and modulation.
        case normalisation
        /// A matrix product.
        case product
        /// A matrix product with the activation of its result.
        case activatedProduct
        case attention
        /// The gated residual.
        case gatedAdd
    }

    /// Nanoseconds of all threads by region; each is added to once per task, so sharing costs nothing.
    private let totals: [Total]

    private final class Total: Sendable {
        let nanoseconds = Atomic<UInt64>(0)
    }

    /// Starts at nothing.
    public init() {
        totals = Region.allCases.map { _ in Total() }
    }

    /// What the threads have spent in a region so far, in seconds, all of them added up.
    public func seconds(in region: Region) -> Double {
        Double(totals[region.rawValue].nanoseconds.load(ordering: .relaxed)) * 1e-9
    }

    /// Runs `body` on the calling thread and adds its time to `region`.
    func measure(_ region: Region, _ body: () -> Void) {
        let start = DispatchTime.now().uptimeNanoseconds
        body()
        totals[region.rawValue].nanoseconds.add(
            DispatchTime.now().uptimeNanoseconds - start, ordering: .relaxed)
    }
}
