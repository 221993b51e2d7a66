/// A plan by itself: one row per guidance branch, one cell per step.
public struct PlanStrip: Sendable {
    public var title: String

    /// How to read it, under the title; nothing if empty.
    public var caption: String

    /// What a cell stands for.
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
