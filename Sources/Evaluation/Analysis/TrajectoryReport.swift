import Caching
import FoundationEssentials
import Models
import Pipeline
import Reports

/// What the runs of one model with one set of settings look like: the result of `omnicache analyze`.
///
/// Every number is a mean over the runs with the standard deviation between them; null where it does not exist.
public struct TrajectoryReport: SchemaReport, Equatable, Sendable {
    /// The format of this report.
    public static let currentSchema = "omnicache.analysis/1"
    public static let problem =
        "no analysis, a damaged one, or one of another version of omnicache; make it anew with analyze"

    /// The format.
    public private(set) var schema = Self.currentSchema
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
    /// The frequency bands of the calls' noise energy.
    public let spectrum: Spectrum
    /// How much the parts of the network change from call to call: by site, then block, branch and call.
    public let blocks: [BlockRow]

    /// One model call.
    public struct Call: Codable, Equatable, Sendable {
        /// Its index.
        public let call: Int
        /// The step that it belongs to.
        public let step: Int
        /// The timestep.
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
}

/// The tables of a report, for spreadsheets and plotting programs: one header line, numbers as JSON has them, nothing
/// where a number does not exist.
extension TrajectoryReport {
    /// One row per model call; of every quantity the mean, and the standard deviation in a column named `…_sd`.
    public var stepsCSV: String {
        let rows = calls.map { call in
            [
                "\(call.call)", "\(call.step)", "\(call.timestep)", "\(call.pathPosition)", "\(call.pathPositionAfter)",
            ] + quantities(of: call).flatMap { Self.cells($0.spread) }
        }
        let names = calls.first.map { quantities(of: $0).flatMap { [$0.name, "\($0.name)_sd"] } } ?? []
        return CSV.table(
            ["call", "step", "timestep", "path_position", "path_position_after"] + names, rows)
    }

    /// One row per site, block, branch and call.
    public var blocksCSV: String {
        let rows = blocks.map { row in
            [
                row.site.rawValue, row.block.map { "\($0)" } ?? "", row.branch.rawValue, "\(row.call)",
                "\(calls[row.call].timestep)",
            ] + Self.cells(row.relativeL1) + Self.cells(row.relativeL2) + Self.cells(row.cosine)
        }
        return CSV.table(
            [
                "site", "block", "branch", "call", "timestep", "relative_l1", "relative_l1_sd", "relative_l2",
                "relative_l2_sd", "cosine", "cosine_sd",
            ], rows)
    }

    /// Every quantity of a call under its column's name; the same columns for all calls of a report.
    private func quantities(of call: Call) -> [(name: String, spread: Spread?)] {
        let none = StateMeasures<Spread?>(deviation: nil, piece: nil, curvature: nil, torsion: nil)
        let series = [
            ("guided", call.guided), ("conditional", call.conditional), ("unconditional", call.unconditional),
        ]
        return (call.state ?? none).named.map { ("state_\(Self.snake($0.name))", $0.value) }
            + series.flatMap { prefix, measures in
                (measures?.named ?? []).map { ("\(prefix)_\(Self.snake($0.name))", $0.value) }
            }
    }

    private static func cells(_ spread: Spread?) -> [String] {
        [spread.map { "\($0.mean)" } ?? "", spread?.standardDeviation.map { "\($0)" } ?? ""]
    }

    /// `turningAngle` as `turning_angle`.
    private static func snake(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            text += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
    }
}

extension TrajectoryReport {
    /// What the files of an analysis are made of.
    public typealias Content = (report: TrajectoryReport, drawings: TrajectoryDrawings)

    /// `PREFIX.json`, tables and pictures.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "analysis",
            kinds: [
                (".json", { try $0.report.json }),
                ("-steps.csv", { Array($0.report.stepsCSV.utf8) }),
                ("-blocks.csv", { Array($0.report.blocksCSV.utf8) }),
                ("-turning.svg", { $0.drawings.turning.bytes }),
                ("-curvature.svg", { $0.drawings.curvature.bytes }),
                ("-path.svg", { $0.drawings.path.bytes }),
                ("-blocks.svg", { $0.drawings.blocks.bytes }),
                ("-noise.svg", { $0.drawings.noise.bytes }),
            ], replaces: replaces)
    }
}
