import Caching
import Pipeline
import Reports
import Sampling

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
