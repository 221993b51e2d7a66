import Caching

/// How the forecasters of a plan did in closed loop on images that no fit has seen.
///
/// A fit can lead its own images well and others astray. So each has to be better than those below it, which know less
/// of the model and so have less to be wrong about: steering than spectral, spectral than one that was not fitted.
public struct FitCheck: Equatable, Sendable {
    /// The runs of each image.
    static let runs = 3

    /// A forecaster, and how far it leaves the images from their full runs.
    public struct Candidate: Equatable, Sendable {
        /// What fills the gaps.
        public let forecaster: Forecaster
        /// The relative error of the final state, the geometric mean over the images; infinite for a run that
        /// diverged.
        public let error: Double
    }

    /// The forecasters, the plainest first.
    public let candidates: [Candidate]

    /// A check of these, the plainest first; not empty.
    init(_ candidates: [Candidate]) {
        precondition(!candidates.isEmpty, "forecasters to check")
        self.candidates = candidates
    }

    /// The forecaster to use: that of the least error, and of two with the same the plainer one.
    public var best: Forecaster {
        candidates.dropFirst().reduce(candidates[0]) { $1.error < $0.error ? $1 : $0 }.forecaster
    }
}
