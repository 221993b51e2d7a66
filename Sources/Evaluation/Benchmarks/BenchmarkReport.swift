import Compute
import Pipeline

/// What a benchmark has found; coded as JSON with the schema `omnicache.bench/1`, all times in seconds.
public struct BenchmarkReport: Codable, Equatable, Sendable {
    /// The version of this form.
    public static let schema = "omnicache.bench/1"

    /// What ran.
    public struct Subject: Codable, Equatable, Sendable {
        public let name: String
        public let depth: Int
        public let width: Int
        public let heads: Int
        public let tokens: Int
        public let parameters: Int
    }

    /// One operation at one shape, checked and then timed.
    public struct Operation: Codable, Equatable, Sendable {
        public let name: String
        public let shape: String
        public let seconds: Quartiles
        /// What it reaches at the median; nil for what only moves numbers.
        public let gflops: Double?
        public let gigabytesPerSecond: Double?
        /// Of the rate of the same product bare, where there is one.
        public let share: PairedRatio?
        /// The largest error found, and the largest that is right, as shares of the largest value.
        public let error: Double
        public let bound: Double
    }

    /// A forward of one or both guidance branches.
    public struct Forward: Codable, Equatable, Sendable {
        public let branches: Int
        public let seconds: Quartiles
        public let gflops: Double
        /// The forward's own list of matrix products, bare.
        public let bareSeconds: Quartiles
        public let bareGflops: Double
        /// Of the sgemm rate, pair by pair.
        public let share: PairedRatio
        /// How each product was split for the bare rate.
        public let splits: [String: String]
    }

    /// Something that took time, such as a decoding.
    public struct Timing: Codable, Equatable, Sendable {
        public let what: String
        public let seconds: Quartiles
    }

    /// Where the time of a forward goes: shares of all threads' time, which add up to 1.
    public struct Profile: Codable, Equatable, Sendable {
        public struct Part: Codable, Equatable, Sendable {
            public let name: String
            public let share: Double
            /// Of all threads together, in one forward.
            public let seconds: Double
        }

        public let branches: Int
        /// What one forward took, by the wall clock.
        public let seconds: Double
        public let parts: [Part]
    }

    /// How cost grows.
    public struct Scaling: Codable, Equatable, Sendable {
        /// The time of twice as many images, as a multiple of twice the time.
        public let images: PairedRatio
        /// The tokens that are compared.
        public let tokens: [Int]
        /// The time of the more tokens, as a multiple of what their operations say.
        public let tokenCost: PairedRatio
        /// The tensors that the steps of a run have allocated.
        public let allocationsInSteps: Int
    }

    public var schema = Self.schema
    public let versions: LibraryVersions
    /// Which of OpenBLAS's kernels ran, beside those that the processor could run.
    public let kernels: KernelChoice
    public let threads: Int
    public let repeats: Int
    public let subject: Subject
    public var operations: [Operation]?
    public var forwards: [Forward]?
    public var timings: [Timing]?
    public var profile: Profile?
    public var scaling: Scaling?
}
