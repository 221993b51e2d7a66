import Caching
import FoundationEssentials
import Models
import Pipeline

/// What the runs of one model with one set of settings look like: the result of `omnicache analyze`.
///
/// Every number is a mean over the runs with the standard deviation between them; null where it does not exist.
public struct TrajectoryReport: Codable, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.analysis/1"

    /// The format.
    public let schema: String
    /// The model.
    public let model: ImageRecord.Model
    /// What the runs have in common.
    public let settings: SampleSettings
    /// The class and the seed of each run.
    public let items: [SampleItem]
    /// The shape of the latents: (C, H, W), or (C, F, H, W) with several frames.
    public let shape: [Int]
    /// One row per model call.
    public let calls: [Call]
    /// The shape of the paths.
    public let path: Path
    /// The frequency bands that the calls' noise energy is told by.
    public let spectrum: Spectrum
    /// How much the parts of the network change from call to call: by site, then block, branch and call.
    public let blocks: [BlockRow]

    /// One model call.
    public struct Call: Codable, Equatable, Sendable {
        /// Its index.
        public let call: Int
        /// The step that it belongs to.
        public let step: Int
        /// What the model is told.
        public let timestep: Double
        /// s before the call.
        public let pathPosition: Double
        /// s after it.
        public let pathPositionAfter: Double
        /// Of the output that moves the state.
        public let guided: DirectionMeasures<Spread?>
        /// Of the conditional branch; nil in an unguided run, where it is the same as ``guided``.
        public let conditional: DirectionMeasures<Spread?>?
        /// Of the unconditional branch; nil in an unguided run.
        public let unconditional: DirectionMeasures<Spread?>?
        /// Of the state that the call sees; nil for a trial state inside a step, as in Heun's method.
        public let state: StateMeasures<Spread?>?
    }

    /// The paths in the frame (u, w1, w2).
    public struct Path: Codable, Equatable, Sendable {
        /// The mean of all runs, from noise to image: one point (u, w1, w2) per step, and the last one.
        public let mean: [[Double]]
        /// Each run, aligned to the others in the plane (w1, w2).
        public let runs: [[[Double]]]
        /// The distance from a run's first state to its last.
        public let displacement: Spread?
        /// Each run's explained variance.
        public let explained: [ExplainedVariance]
    }

    /// The frequency bands.
    public struct Spectrum: Codable, Equatable, Sendable {
        /// The number of coefficients in each band, lowest frequencies first.
        public let bandSizes: [Int]
    }

    /// One site of the network, in one guidance branch, at one call, against the call before.
    public struct BlockRow: Codable, Equatable, Sendable {
        /// A kind of site: that of a layer, by its name, or the whole stack.
        public struct Site: RawRepresentable, Hashable, Codable, Sendable {
            public let rawValue: String

            /// The site that reports call `rawValue`.
            public init(rawValue: String) {
                self.rawValue = rawValue
            }

            /// What the whole stack of blocks adds to its input.
            public static let stack = Site(rawValue: "stack")
        }

        /// The site.
        public let site: Site
        /// The block, from 0; nil for the stack.
        public let block: Int?
        /// The branch: conditional or unconditional.
        public let branch: GuidanceOutput
        /// The model call.
        public let call: Int
        /// mean|a − b| / mean|b|, with b the output at the call before.
        public let relativeL1: Spread
        /// |a − b| / |b|.
        public let relativeL2: Spread
        /// ⟨a, b⟩ / (|a| |b|).
        public let cosine: Spread?
    }

    /// The report as JSON: the same bytes for the same report.
    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return try [UInt8](encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    /// Reads a report.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when the file holds something else.
    public init(json: [UInt8], path: String) throws(PipelineError) {
        guard let report = try? JSONDecoder().decode(TrajectoryReport.self, from: Data(json)),
            report.schema == Self.currentSchema
        else {
            throw .badData(
                "\(path): no analysis, a damaged one, or one of another version of omnicache; make it anew with analyze"
            )
        }
        self = report
    }

    init(
        model: ImageRecord.Model, settings: SampleSettings, items: [SampleItem], shape: [Int], calls: [Call],
        path: Path, spectrum: Spectrum, blocks: [BlockRow]
    ) {
        schema = Self.currentSchema
        self.model = model
        self.settings = settings
        self.items = items
        self.shape = shape
        self.calls = calls
        self.path = path
        self.spectrum = spectrum
        self.blocks = blocks
    }
}
