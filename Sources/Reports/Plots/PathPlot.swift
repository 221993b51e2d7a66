import Media

/// Sampling paths in the frame (u, w1, w2), seen from three sides: u against w1, u against w2, w1 against w2.
///
/// The three axes have scales of their own, since a path is far longer along u than it is wide.
public struct PathPlot: Sendable {
    public var title: String

    /// How to read it, under the title; nothing if empty.
    public var caption: String

    /// Single runs, each a list of positions (u, w1, w2), one per state.
    public var runs: [[SIMD3<Double>]]

    /// Their mean.
    public var mean: [SIMD3<Double>]

    /// The share that is reused of the step that starts at each of the mean's positions, 0 to 1; positions beyond the list
    /// get no mark.
    public var reusedShares: [Double]

    public init(
        title: String, caption: String = "", runs: [[SIMD3<Double>]], mean: [SIMD3<Double>],
        reusedShares: [Double] = []
    ) {
        self.title = title
        self.caption = caption
        self.runs = runs
        self.mean = mean
        self.reusedShares = reusedShares
    }

    private static let names = ["u", "w₁", "w₂"]
    private static let panels = [(0, 1), (0, 2), (1, 2)]
    private static let runColour = Colour(hexadecimal: 0x9DB4C4)
    private static let meanColour = Palette.series[0]
    private static let startColour = Palette.series[1]

    /// Draws it, 900 pixels wide.
    public func svg() -> SVG {
        let axes = (0..<3).map { coordinate in
            Axis(covering: (runs.flatMap { $0 } + mean).map { $0[coordinate] }, scale: .linear, tickCount: 4)
        }
        let caption = Caption(caption)
        let legend = Legend(legendEntries, width: SVGCanvas.defaultWidth - 24)
        let rooms = Self.panels.map { PlotArea.room(leftOf: axes[$0.1]) }
        let gap = 18.0
        let side = (SVGCanvas.defaultWidth - rooms.reduce(0, +) - gap * 3) / 3
        let top = 46 + caption.height + legend.height

        var canvas = SVGCanvas(height: top + side + 46, title: title)
        canvas.heading(title)
        caption.draw(on: &canvas)
        legend.draw(on: &canvas, left: 12, top: 33 + caption.height)
        var left = 0.0
        for (room, panel) in zip(rooms, Self.panels) {
            let area = PlotArea(left: left + room, top: top, width: side, height: side)
            drawPanel(panel, axes, area, &canvas)
            left = area.right + gap
        }
        return canvas.finished()
    }

    private var legendEntries: [(symbol: Legend.Symbol, label: String)] {
        var entries: [(symbol: Legend.Symbol, label: String)] = []
        if !runs.isEmpty { entries.append((.line(Self.runColour, dash: "", width: 1), "single runs (\(runs.count))")) }
        if !mean.isEmpty {
            entries.append((.line(Self.meanColour, dash: "", width: 2.5), "mean"))
            entries.append((.point(.diamond, Self.startColour, filled: true), "start"))
        }
        let marks = [0, 0.5, 1].map(mark)
        let present = Set(reusedShares.map { mark($0).name })
        // One kind alone would leave the reader to guess what the other looks like.
        return entries
            + marks.filter { !reusedShares.isEmpty && ($0.name != "partly reused" || present.contains($0.name)) }
            .map { (.disc(fill: $0.fill, outline: Self.meanColour), "\($0.name) step") }
    }

    /// How a step is marked of which a share is reused: filled if it is full, hollow if it is reused.
    private func mark(_ reusedShare: Double) -> (name: String, fill: Colour) {
        switch reusedShare {
        case 0: ("full", Self.meanColour)
        case 1: ("reused", .white)
        default: ("partly reused", Self.runColour)
        }
    }

    private func drawPanel(_ panel: (Int, Int), _ axes: [Axis], _ area: PlotArea, _ canvas: inout SVGCanvas) {
        let (xAxis, yAxis) = (axes[panel.0], axes[panel.1])
        canvas.verticalAxis(yAxis, title: Self.names[panel.1], area: area)
        canvas.horizontalAxis(xAxis, title: Self.names[panel.0], area: area, labelsFrom: area.bottom)
        canvas.frame(area)
        func place(_ position: SIMD3<Double>) -> (x: Double, y: Double)? {
            guard let x = xAxis.share(of: position[panel.0]), let y = yAxis.share(of: position[panel.1]) else {
                return nil
            }
            return (x: area.x(x), y: area.y(y))
        }
        func draw(_ path: [SIMD3<Double>], stroke: SVGCanvas.Stroke) {
            for stretch in path.map(place).split(whereSeparator: { $0 == nil }) where stretch.count > 1 {
                canvas.polyline(stretch.compactMap(\.self), stroke: stroke)
            }
        }
        for run in runs { draw(run, stroke: SVGCanvas.Stroke(colour: Self.runColour, width: 1, opacity: 0.8)) }
        draw(mean, stroke: SVGCanvas.Stroke(colour: Self.meanColour, width: 2.5))
        for (step, share) in zip(mean.indices, reusedShares) {
            guard let point = place(mean[step]) else { continue }
            let mark = mark(share)
            canvas.circle(
                x: point.x, y: point.y, radius: 3.2, fill: mark.fill,
                stroke: SVGCanvas.Stroke(colour: Self.meanColour, width: 1.3), tip: "step \(step): \(mark.name)")
        }
        if let first = mean.first, let start = place(first) {
            canvas.marker(.diamond, x: start.x, y: start.y, colour: Self.startColour)
        }
        if !(runs.flatMap { $0 } + mean).contains(where: { place($0) != nil }) { canvas.emptyNotice(in: area) }
    }
}
