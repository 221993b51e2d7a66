import Compute
import Pipeline
import Reports

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
    /// What multiplied, and how precisely; nil for the standard.
    public let arithmetic: Arithmetic?
    public let threads: Int
    public let repeats: Int
    public let subject: Subject
    public var operations: [Operation]?
    public var forwards: [Forward]?
    public var timings: [Timing]?
    public var profile: Profile?
    public var scaling: Scaling?
}

extension BenchmarkReport {
    /// The report for a terminal: a heading and a table for each part. Ends with a line break.
    public var text: String {
        let tables = [operationTable, forwardTable, timingTable, profileTable, scalingTable].compactMap(\.self)
        return ([heading] + tables.map(\.plainText)).joined(separator: "\n")
    }

    private var heading: String {
        """
        \(subject.name): depth \(subject.depth), width \(subject.width), \(subject.heads) heads, \(subject.tokens) tokens
        \(arithmetic.map { "\($0) (oneDNN \(versions.onednn ?? ""))" } ?? kernels.description); \(threads) threads; medians of \(repeats), with quartiles

        """
    }

    private static let timeColumns = ["ms", "quartiles"]

    private static func times(_ seconds: Quartiles) -> [HTMLTable.Cell] {
        let digits = seconds.median < 0.1 ? 3 : 1
        return [.number(seconds.median * 1e3, digits: digits), range(seconds.lower * 1e3, seconds.upper * 1e3, digits)]
    }

    /// A share with its interval.
    private static func share(_ ratio: PairedRatio?) -> [HTMLTable.Cell] {
        guard let ratio else { return [] }
        return [.number(ratio.quartiles.median, digits: 3), range(ratio.low, ratio.high, 3)]
    }

    private static func range(_ low: Double, _ high: Double, _ digits: Int) -> HTMLTable.Cell {
        .text("\(fixed(low, digits)) - \(fixed(high, digits))")
    }

    private static func fixed(_ number: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        return "\((number * scale).rounded() / scale)"
    }

    private var operationTable: HTMLTable? {
        operations.map { operations in
            HTMLTable(
                caption: "operations, each checked before it was timed; share: of the same products bare",
                ["operation", "shape"] + Self.timeColumns + ["GFLOP/s", "GB/s", "share", "interval"],
                rows: operations.map { operation in
                    let rates = [operation.gflops, operation.gigabytesPerSecond].map {
                        $0.map { HTMLTable.Cell.number($0, digits: 1) } ?? .empty
                    }
                    return [.text(operation.name), .text(operation.shape)] + Self.times(operation.seconds) + rates
                        + Self.share(operation.share)
                })
        }
    }

    private var forwardTable: HTMLTable? {
        forwards.map { forwards in
            HTMLTable(
                caption: "forwards; share: of the sgemm rate, that of their own matrix products bare, pair by pair",
                ["forward"] + Self.timeColumns + ["GFLOP/s", "sgemm GFLOP/s", "share", "interval"],
                rows: forwards.map { forward in
                    [.text(forward.branches == 1 ? "one branch" : "guided")] + Self.times(forward.seconds)
                        + [.number(forward.gflops, digits: 1), .number(forward.bareGflops, digits: 1)]
                        + Self.share(forward.share)
                })
        }
    }

    private var timingTable: HTMLTable? {
        timings.map { timings in
            HTMLTable(
                ["what"] + Self.timeColumns, rows: timings.map { [.text($0.what)] + Self.times($0.seconds) })
        }
    }

    private var profileTable: HTMLTable? {
        profile.map { profile in
            let total = profile.parts.reduce(0) { $0 + $1.share }
            let all = ("all", total, profile.seconds * Double(threads))
            return HTMLTable(
                caption: "a forward of \(profile.branches == 1 ? "one branch" : "both branches"): "
                    + "\(Self.fixed(profile.seconds * 1e3, 3)) ms on \(threads) threads",
                ["part", "%", "ms of all threads"],
                rows: (profile.parts.map { ($0.name, $0.share, $0.seconds) } + [all]).map { name, share, seconds in
                    [.text(name), .number(share * 100, digits: 1), .number(seconds * 1e3, digits: 3)]
                })
        }
    }

    private var scalingTable: HTMLTable? {
        scaling.map { scaling in
            HTMLTable(
                caption: "scaling; 1 is in proportion", ["what", "ratio", "interval"],
                rows: [
                    [.text("time of twice the images")] + Self.share(scaling.images),
                    [.text("time of \(scaling.tokens[1]) tokens, to \(scaling.tokens[0]), by operations")]
                        + Self.share(scaling.tokenCost),
                    [.text("tensors allocated in steps"), .number(Double(scaling.allocationsInSteps), digits: 0)],
                ])
        }
    }
}
