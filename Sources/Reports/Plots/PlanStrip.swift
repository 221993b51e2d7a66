/// A plan by itself: one row per guidance branch, one cell per step.
public struct PlanStrip: Sendable {
    public var title: String

    /// How to read it, under the title; nothing if empty.
    public var caption: String

    /// The unit of a cell.
    public var xTitle: String
    public var rows: [PlanRow]

    public init(title: String, caption: String = "", xTitle: String = "step", rows: [PlanRow]) {
        self.title = title
        self.caption = caption
        self.xTitle = xTitle
        self.rows = rows
    }

    /// Draws it, 900 pixels wide.
    public func svg() -> SVG {
        let axis = Axis(steps: rows.stepCount)
        let spent = rows.map { "\($0.fullCount) of \($0.isFull.count)" }
        let leftRoom = min(220, (rows.map { TextWidth.of($0.label, size: PlotArea.tickSize) }.max() ?? 0) + 20)
        let rightRoom = (spent.map { TextWidth.of($0, size: PlotArea.tickSize) }.max() ?? 0) + 22
        let caption = Caption(caption)
        let legend = Legend(rows.isEmpty ? [] : [PlanRow].legend(unit: xTitle), width: SVGCanvas.defaultWidth - 24)
        let area = PlotArea(
            left: leftRoom, top: 38 + caption.height + legend.height,
            width: SVGCanvas.defaultWidth - leftRoom - rightRoom,
            height: rows.height)
        var canvas = SVGCanvas(height: area.bottom + 44, title: title)
        canvas.heading(title)
        caption.draw(on: &canvas)
        legend.draw(on: &canvas, left: 12, top: 33 + caption.height)
        canvas.planRows(rows, axis: axis, area: area, top: area.top, unit: xTitle)
        for (index, text) in spent.enumerated() {
            canvas.text(
                text, x: area.right + 10, y: area.top + Double(index) * [PlanRow].rowHeight + 11,
                size: PlotArea.tickSize, colour: Palette.quiet)
        }
        canvas.horizontalAxis(axis, title: xTitle, area: area, labelsFrom: area.bottom, hasGrid: false)
        return canvas.finished()
    }
}

/// Where one guidance branch is evaluated and where it is reused: one row of cells in a drawing.
public struct PlanRow: Equatable, Sendable {
    /// The branch's name.
    public var label: String

    /// Whether each step is evaluated, in sampling order.
    public var isFull: [Bool]

    public init(label: String, isFull: [Bool]) {
        self.label = label
        self.isFull = isFull
    }

    /// How many steps are evaluated.
    var fullCount: Int { isFull.count { $0 } }
}

extension [PlanRow] {
    /// The number of steps of the longest row.
    var stepCount: Int { map(\.isFull.count).max() ?? 0 }

    /// For each step the share of the rows that are reused there, from 0 to 1.
    var reusedShares: [Double] {
        (0..<stepCount).map { step in
            let decisions = compactMap { $0.isFull.indices.contains(step) ? $0.isFull[step] : nil }
            return Double(decisions.count { !$0 }) / Double(decisions.count)
        }
    }

    static let rowHeight = 15.0

    /// Pixels down that the rows take.
    var height: Double { Double(count) * Self.rowHeight }

    /// What the cells' colours mean; `unit` names what one cell is.
    static func legend(unit: String) -> [(symbol: Legend.Symbol, label: String)] {
        [
            (.box(Palette.full, outline: Palette.full), "full \(unit)"),
            (.box(Palette.reused, outline: Palette.frame), "reused \(unit)"),
        ]
    }
}

extension SVGCanvas {
    /// The rows from `top` downwards, each cell where `axis` has its step, and their labels on the left; `unit`
    /// names what one cell is.
    mutating func planRows(_ rows: [PlanRow], axis: Axis, area: PlotArea, top: Double, unit: String) {
        let cell = area.width / (axis.upperBound - axis.lowerBound)
        // Neighbouring cells too narrow to distinguish are drawn as one.
        let isMerged = cell < 4
        for (index, row) in rows.enumerated() {
            let y = top + Double(index) * [PlanRow].rowHeight
            let label = TextWidth.fitting(row.label, width: area.left - 16, size: PlotArea.tickSize)
            text(label, x: area.left - 7, y: y + 11, size: PlotArea.tickSize, anchor: .end, colour: Palette.quiet)
            group(["class": "plan-row"]) { canvas in
                for run in Self.runs(of: row.isFull, merged: isMerged) {
                    let left = area.x((Double(run.lowerBound) - 0.5 - axis.lowerBound) * cell / area.width)
                    let isFull = row.isFull[run.lowerBound]
                    let steps =
                        run.count == 1
                        ? "\(unit) \(run.lowerBound)" : "\(unit)s \(run.lowerBound) to \(run.upperBound - 1)"
                    let gap = isMerged ? 0 : 0.5
                    canvas.rectangle(
                        x: left + gap, y: y + 1.5, width: Double(run.count) * cell - 2 * gap,
                        height: [PlanRow].rowHeight - 3, fill: isFull ? Palette.full : Palette.reused,
                        stroke: isFull || isMerged ? nil : Stroke(colour: Palette.frame, width: 0.5),
                        tip: "\(steps): \(isFull ? "full" : "reused")")
                }
            }
        }
    }

    /// Colours the stretches of the area above reused steps, more strongly the more branches are reused.
    mutating func reuseShading(_ rows: [PlanRow], axis: Axis, area: PlotArea) {
        let shares = rows.reusedShares
        for run in Self.runs(of: shares, merged: true) where shares[run.lowerBound] > 0 {
            let left = area.x(axis.clampedShare(of: Double(run.lowerBound) - 0.5))
            let right = area.x(axis.clampedShare(of: Double(run.upperBound) - 0.5))
            rectangle(
                x: left, y: area.top, width: right - left, height: area.height, fill: Palette.reused,
                opacity: 0.75 * shares[run.lowerBound])
        }
    }

    /// The stretches of equal neighbours, or every place by itself.
    private static func runs(of values: [some Equatable], merged: Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in values.indices {
            if merged, let last = runs.last, values[last.lowerBound] == values[index] {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }
}
