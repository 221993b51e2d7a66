import Caching
import Pipeline
import Reports
import Sampling

/// The pictures of an analysis, each with what its high and low places mean, and where a plan reuses.
public struct TrajectoryDrawings: Sendable {
    private let report: TrajectoryReport
    private let reuse: ReuseRecord?

    /// The pictures of a report.
    ///
    /// - Parameters:
    ///   - report: What is drawn.
    ///   - reuse: The plan whose full and reused calls are marked, which fits the report's run; nil for no marks.
    public init(of report: TrajectoryReport, marking reuse: ReuseRecord? = nil) {
        precondition(
            reuse.map { $0.decisions.calls == report.calls.count } ?? true, "a plan for another number of model calls")
        self.report = report
        self.reuse = reuse
    }

    /// The turning angle of each branch's output in degrees, on a logarithmic axis: the last steps turn a hundred times as
    /// far as the first.
    public var turning: SVG {
        LineChart(
            title: title("Turning angle"),
            caption: caption(
                "The angle between the model's output and its output at the \(unit) before\(bandInWords). High: the path "
                    + "turns, and an output that is held or forecast points the wrong way. Low: it runs straight, and "
                    + "reuse costs little."),
            xTitle: unit, yTitle: "turning angle (degrees)",
            series: series(\.turningAngle, scale: 180 / .pi), yScale: .logarithmic, marks: marks
        ).svg()
    }

    /// The turning per unit of the path's length, on a logarithmic axis.
    public var curvature: SVG {
        LineChart(
            title: title("Curvature"),
            caption: caption(
                "The turning angle per unit of the path's length, length being that of z (the latents over their signal "
                    + "scale)\(bandInWords). High: a bend that even a short piece of the path must follow. Low: a "
                    + "stretch that is nearly straight, where a forecast stays on the path."),
            xTitle: unit, yTitle: "curvature (radians per unit of length)", series: series(\.curvature),
            yScale: .logarithmic, marks: marks
        ).svg()
    }

    /// The runs' paths and their mean, seen from three sides.
    public var path: SVG {
        PathPlot(
            title: title("Path"),
            caption: caption(
                "The states z (the latents over their signal scale) along the displacement from noise to image, u, and "
                    + "the two directions across it in which they move most, w₁ and w₂; every axis has a scale of its "
                    + "own. Where the line bends a forecast leaves it; where it is straight reuse costs little."),
            runs: report.path.runs.map(Self.points), mean: Self.points(report.path.mean), reusedShares: reusedShares
        ).svg()
    }

    /// How much each block's parts and the whole stack change, on a logarithmic scale.
    public var blocks: SVG {
        HeatMap(
            title: title("Change of the blocks"),
            caption: caption(
                "How far each part's output has moved since the \(unit) before: mean |difference| over mean |output|"
                    + (isGuided ? ", the mean of both branches" : "")
                    + ". Light: the part does something new. Dark: it "
                    + "repeats itself, and a cache that holds it loses little."),
            xTitle: unit, yTitle: "part of the network", valueTitle: "relative change (L1)", rows: blockRows,
            scale: .logarithmic, marks: marks
        ).svg()
    }

    /// The energy of the cache noise in each frequency band, on a logarithmic scale.
    public var noise: SVG {
        let bands = report.spectrum.bandSizes.count
        return HeatMap(
            title: title("Spectrum of the cache noise"),
            caption: caption(
                "The error of holding the guided output for one \(unit), by frequency band: its energy over that "
                    + "of the output. Light: holding would spoil the image there, coarse structure in the bands above and "
                    + "fine detail in those below. Dark: it would hardly be seen."),
            xTitle: unit, yTitle: "frequency band", valueTitle: "energy of noise / energy of output",
            rows: (0..<bands).map { band in
                let end = band == 0 ? " (coarsest)" : band == bands - 1 ? " (finest)" : ""
                return HeatMap.Row(
                    label: "\(band)\(end)", values: report.calls.map { $0.guided.noiseEnergy[band]?.mean ?? .nan })
            }, scale: .logarithmic, marks: marks
        ).svg()
    }

    // MARK: - What the pictures share

    private var unit: String { report.settings.unit(calls: report.calls.count) }
    private var marks: [PlanRow] { reuse?.decisions.marks ?? [] }
    private var isGuided: Bool { report.calls.contains { $0.unconditional != nil } }

    private func title(_ subject: String) -> String {
        let images = report.items.count
        return "\(subject): \(report.model.name), \(report.settings.inWords), \(images) image\(images == 1 ? "" : "s")"
    }

    private func caption(_ text: String) -> String {
        guard let reuse else { return text }
        let isWeighed = [PlannerKind.path, .balanced].map(\.rawValue).contains(reuse.planner)
        return "\(text) Marked: \(reuse.summary)."
            + (isWeighed ? " This planner also weighs how much of an error the later \(unit)s correct." : "")
    }

    /// The half sentence about the bands around the curves; nothing where a single image has none.
    private var bandInWords: String {
        report.items.count > 1 ? "; line and band are mean and standard deviation over the images" : ""
    }

    /// A measure of the guided output and, in a guided run, of both branches.
    private func series(
        _ measure: KeyPath<DirectionMeasures<Spread?>, Spread?>, scale: Double = 1
    ) -> [LineChart.Series] {
        let outputs: [(GuidanceOutput, KeyPath<TrajectoryReport.Call, DirectionMeasures<Spread?>?>)] =
            isGuided ? [(.conditional, \.conditional), (.unconditional, \.unconditional)] : []
        func line(_ label: String, _ spreads: [Spread?]) -> LineChart.Series {
            LineChart.Series(
                label: label, y: spreads.map { ($0?.mean ?? .nan) * scale },
                spread: spreads.contains { $0?.standardDeviation != nil }
                    ? spreads.map { ($0?.standardDeviation ?? .nan) * scale } : nil)
        }
        let guided = line(isGuided ? "guided" : "output", report.calls.map { $0.guided[keyPath: measure] })
        return [guided]
            + outputs.map { output, path in
                line(output.rawValue, report.calls.map { $0[keyPath: path]?[keyPath: measure] })
            }
    }

    /// Of each step, the share of its calls' evaluations that are reused; empty without a plan.
    private var reusedShares: [Double] {
        guard let plan = reuse?.decisions else { return [] }
        var (evaluations, calls) = ([Int](), [Int]())
        for call in report.calls {
            if call.step == evaluations.count {
                evaluations.append(0)
                calls.append(0)
            }
            evaluations[call.step] += plan.evaluated[call.call].count
            calls[call.step] += 1
        }
        return zip(evaluations, calls).map { 1 - Double($0) / Double($1 * plan.branches.count) }
    }

    /// One row for each block's attention, then for each block's MLP, then for the stack: the mean of the branches.
    private var blockRows: [HeatMap.Row] {
        var sums: [String: (total: Double, count: Int)] = [:]
        var labels: [String] = []
        for row in report.blocks {
            let label = Self.label(of: row)
            if labels.last != label, !labels.contains(label) { labels.append(label) }
            sums["\(label)/\(row.call)", default: (0, 0)].total += row.relativeL1.mean
            sums["\(label)/\(row.call)", default: (0, 0)].count += 1
        }
        return labels.map { label in
            HeatMap.Row(
                label: label,
                values: report.calls.map { call in
                    sums["\(label)/\(call.call)"].map { $0.total / Double($0.count) } ?? .nan
                })
        }
    }

    private static func label(of row: TrajectoryReport.BlockRow) -> String {
        let block = row.block.map { " \($0)" } ?? ""
        if row.site == .stack { return "whole stack" }
        let name = row.site.rawValue
        // A name as short as this is an abbreviation.
        return (name.count <= 3 ? name.uppercased() : name) + block
    }

    private static func points(_ path: [[Double]]) -> [SIMD3<Double>] {
        path.compactMap { $0.count == 3 ? SIMD3($0[0], $0[1], $0[2]) : nil }
    }
}

extension ReusePlan {
    /// The plan's rows in a drawing: one per branch of the run, the conditional one first, one cell per model call.
    var marks: [PlanRow] {
        [(GuidanceBranches.conditional, GuidanceOutput.conditional), (.unconditional, .unconditional)]
            .filter { branch, _ in branches.contains(branch) }
            .map { branch, name in
                PlanRow(label: name.rawValue, isFull: evaluated.indices.map { isFull(branch, at: $0) })
            }
    }
}

extension SampleSettings {
    /// What drawings call one of a run's model calls: the step itself where each step makes one.
    func unit(calls: Int) -> String { calls == steps ? "step" : "model call" }

    /// The run in a few words, for the title of a drawing.
    var inWords: String { "\(steps) steps of \(sampler.kind.rawValue), guidance \(guidanceScale)" }
}

extension PlanFile {
    /// The plan as a drawing: one row per guidance branch, one cell per model call.
    public var drawing: SVG {
        let unit = settings.unit(calls: reuse.decisions.calls)
        return PlanStrip(
            title: "Reuse plan for \(model.name), \(settings.inWords)",
            caption:
                "\(reuse.summary). At a full \(unit) the branch is evaluated; at a reused one its output is forecast "
                + "from the full ones before it. The run goes from noise on the left to the image on the right.",
            xTitle: unit, rows: reuse.decisions.marks
        ).svg()
    }
}
