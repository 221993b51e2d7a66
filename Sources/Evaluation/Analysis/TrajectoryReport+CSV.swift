import Caching
import Reports

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
