/// Curves over the steps of a run, or over any other number; below them, where a plan reuses.
public struct LineChart: Sendable {
    /// One curve.
    public struct Series: Sendable {
        public var label: String

        /// The horizontal positions; nil for the steps 0, 1, 2 and so on.
        public var x: [Double]?

        /// One value per position. What cannot be drawn (NaN, infinity, on a logarithmic axis zero and below) leaves a
        /// gap.
        public var y: [Double]

        /// How far the band around the curve reaches up and down from each value, if there is one.
        public var spread: [Double]?

        public init(label: String, x: [Double]? = nil, y: [Double], spread: [Double]? = nil) {
            precondition(x.map { $0.count == y.count } ?? true, "as many positions as values")
            precondition(spread.map { $0.count == y.count } ?? true, "as many spreads as values")
            self.label = label
            self.x = x
            self.y = y
            self.spread = spread
        }
    }

    public var title: String

    /// How to read it, under the title; nothing if empty.
    public var caption: String
    public var xTitle: String
    public var yTitle: String
    public var series: [Series]

    /// The scale of the vertical axis.
    public var yScale: AxisScale

    /// Values that the vertical axis shows whether or not a curve reaches them.
    public var including: [Double]

    /// The plan whose full and reused steps are marked under the curves; positions are step numbers then, and `xTitle` is
    /// what tool tips and legend call one.
    public var marks: [PlanRow]

    public init(
        title: String, caption: String = "", xTitle: String = "step", yTitle: String, series: [Series],
        yScale: AxisScale = .linear, including: [Double] = [], marks: [PlanRow] = []
    ) {
        self.title = title
        self.caption = caption
        self.xTitle = xTitle
        self.yTitle = yTitle
        self.series = series
        self.yScale = yScale
        self.including = including
        self.marks = marks
    }

    /// Draws it, 900 pixels wide.
    public func svg() -> SVG {
        let (xAxis, yAxis) = (horizontalAxis, verticalAxis)
        let caption = Caption(caption)
        let legend = Legend(legendEntries, width: SVGCanvas.defaultWidth - 24)
        let markRoom = marks.map { TextWidth.of($0.label, size: PlotArea.tickSize) + 16 }.max() ?? 0
        let left = max(PlotArea.room(leftOf: yAxis), min(180, markRoom))
        let area = PlotArea(
            left: left, top: 44 + caption.height + legend.height, width: SVGCanvas.defaultWidth - left - 24, height: 300
        )
        let strip = marks.isEmpty ? 0 : marks.height + 6

        var canvas = SVGCanvas(height: area.bottom + strip + 46, title: title)
        canvas.heading(title)
        caption.draw(on: &canvas)
        legend.draw(on: &canvas, left: 12, top: 33 + caption.height)
        canvas.reuseShading(marks, axis: xAxis, area: area)
        canvas.verticalAxis(yAxis, title: yTitle, area: area)
        canvas.horizontalAxis(
            xAxis, title: xTitle, area: area, labelsFrom: area.bottom + strip, hasGrid: marks.isEmpty)
        for (index, line) in series.enumerated() {
            drawBand(of: line, style: Palette.style(at: index), xAxis, yAxis, area, &canvas)
        }
        for (index, line) in series.enumerated() {
            drawCurve(of: line, style: Palette.style(at: index), xAxis, yAxis, area, &canvas)
        }
        canvas.frame(area)
        canvas.planRows(marks, axis: xAxis, area: area, top: area.bottom + 4, unit: xTitle)
        if !series.contains(where: { $0.y.contains { yAxis.share(of: $0) != nil } }) { canvas.emptyNotice(in: area) }
        return canvas.finished()
    }

    /// Steps where positions are step numbers, otherwise a range of numbers.
    private var horizontalAxis: Axis {
        guard marks.isEmpty, series.contains(where: { $0.x != nil }) else {
            return Axis(steps: max(marks.stepCount, series.map { $0.stepCount }.max() ?? 0))
        }
        return Axis(covering: series.flatMap(\.positions), scale: .linear, tickCount: 10)
    }

    private var verticalAxis: Axis {
        let bands = yScale == .linear ? series.flatMap(\.bandEdges) : []
        return Axis(covering: series.flatMap(\.y) + bands + including, scale: yScale)
    }

    private var legendEntries: [(symbol: Legend.Symbol, label: String)] {
        let lines = series.enumerated().map { index, line in
            let style = Palette.style(at: index)
            return (symbol: Legend.Symbol.line(style.colour, dash: style.dash, width: 2), label: line.label)
        }
        return lines + (marks.isEmpty ? [] : [PlanRow].legend(unit: xTitle))
    }

    /// The band's outline, stretch by stretch: along the upper edge and back along the lower.
    private func drawBand(
        of line: Series, style: SeriesStyle, _ xAxis: Axis, _ yAxis: Axis, _ area: PlotArea, _ canvas: inout SVGCanvas
    ) {
        guard let spread = line.spread else { return }
        for stretch in line.stretches(xAxis, yAxis) {
            let edges = stretch.compactMap { index -> (x: Double, upper: Double, lower: Double)? in
                guard let x = xAxis.share(of: line.positions[index]), spread[index].isFinite else { return nil }
                return (
                    x: area.x(x), upper: area.y(yAxis.clampedShare(of: line.y[index] + spread[index].magnitude)),
                    lower: area.y(yAxis.clampedShare(of: line.y[index] - spread[index].magnitude))
                )
            }
            guard edges.count > 1 else { continue }
            let outline = edges.map { (x: $0.x, y: $0.upper) } + edges.reversed().map { (x: $0.x, y: $0.lower) }
            canvas.polygon(outline, fill: style.colour, opacity: 0.18)
        }
    }

    private func drawCurve(
        of line: Series, style: SeriesStyle, _ xAxis: Axis, _ yAxis: Axis, _ area: PlotArea, _ canvas: inout SVGCanvas
    ) {
        for stretch in line.stretches(xAxis, yAxis) {
            let points = stretch.compactMap { index -> (x: Double, y: Double)? in
                guard let x = xAxis.share(of: line.positions[index]), let y = yAxis.share(of: line.y[index]) else {
                    return nil
                }
                return (x: area.x(x), y: area.y(y))
            }
            if points.count == 1 {
                canvas.marker(.circle, x: points[0].x, y: points[0].y, colour: style.colour)
            } else {
                canvas.polyline(points, stroke: SVGCanvas.Stroke(colour: style.colour, width: 2, dash: style.dash))
            }
        }
    }
}

extension LineChart.Series {
    /// Horizontal positions of all values.
    fileprivate var positions: [Double] { x ?? y.indices.map(Double.init) }

    /// The number of steps that hold all positions.
    fileprivate var stepCount: Int {
        positions.filter { (0..<1e6).contains($0) }.map { Int($0) + 1 }.max() ?? 0
    }

    /// The ends of the band at every value.
    fileprivate var bandEdges: [Double] {
        zip(y, spread ?? []).flatMap { [$0 - $1.magnitude, $0 + $1.magnitude] }
    }

    /// The places between the gaps, as long as each goes without one.
    fileprivate func stretches(_ xAxis: Axis, _ yAxis: Axis) -> [Range<Int>] {
        let positions = positions
        var stretches: [Range<Int>] = []
        for index in y.indices where xAxis.share(of: positions[index]) != nil && yAxis.share(of: y[index]) != nil {
            if let last = stretches.last, last.upperBound == index {
                stretches[stretches.count - 1] = last.lowerBound..<index + 1
            } else {
                stretches.append(index..<index + 1)
            }
        }
        return stretches
    }
}
