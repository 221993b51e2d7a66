/// Quality against cost: a line per strategy, named at its right end, a mark per budget.
public struct QualityPlot: Sendable {
    /// One strategy.
    public struct Line: Sendable {
        public var label: String

        /// In any order. What cannot be drawn (an infinite PSNR, for one) is left out.
        public var points: [Point]

        /// Whether it is drawn more strongly than the others.
        public var isEmphasised: Bool

        public init(label: String, points: [Point], isEmphasised: Bool = false) {
            self.label = label
            self.points = points
            self.isEmphasised = isEmphasised
        }
    }

    /// One budget.
    public struct Point: Sendable {
        public var cost: Double
        public var quality: Double

        /// Where the true quality lies; a bar on an emphasised line, and on every line a part of what the pointer shows.
        public var interval: ClosedRange<Double>?

        public init(_ cost: Double, _ quality: Double, interval: ClosedRange<Double>? = nil) {
            self.cost = cost
            self.quality = quality
            self.interval = interval
        }
    }

    public var title: String

    /// The cost and its unit, such as "evaluations" or "seconds per image".
    public var xTitle: String

    /// The quality and its unit.
    public var yTitle: String
    public var lines: [Line]
    public var xScale: AxisScale

    public init(
        title: String, xTitle: String, yTitle: String = "PSNR to the uncached image (dB)", lines: [Line],
        xScale: AxisScale = .linear
    ) {
        self.title = title
        self.xTitle = xTitle
        self.yTitle = yTitle
        self.lines = lines
        self.xScale = xScale
    }

    private static let labelHeight = 15.0

    /// Draws it, 900 pixels wide.
    public func svg() -> SVG {
        let yAxis = Axis(covering: drawable.flatMap { $0.map(\.quality) }, scale: .linear, tickCount: 8)
        let xAxis = Axis(covering: drawable.flatMap { $0.map(\.cost) }, scale: xScale, tickCount: 8)
        let labels = lines.map { TextWidth.of($0.label, size: PlotArea.labelSize) }
        let labelRoom = min(320, (labels.max() ?? 0) + 62)
        let left = PlotArea.room(leftOf: yAxis)
        let area = PlotArea(
            left: left, top: 44, width: SVGCanvas.defaultWidth - left - labelRoom - 8,
            height: max(400, Self.labelHeight * Double(lines.count)))

        var canvas = SVGCanvas(height: area.bottom + 46, title: title)
        canvas.heading(title)
        canvas.verticalAxis(yAxis, title: yTitle, area: area)
        canvas.horizontalAxis(xAxis, title: xTitle, area: area, labelsFrom: area.bottom)
        canvas.frame(area)
        let places = drawable.map { points in
            points.map { (x: area.x(xAxis.clampedShare(of: $0.cost)), y: area.y(yAxis.clampedShare(of: $0.quality))) }
        }
        // The emphasised lines come last, on top.
        let order = lines.indices.filter { !lines[$0].isEmphasised } + lines.indices.filter { lines[$0].isEmphasised }
        drawLabels(places, area, &canvas)
        for index in order {
            drawIntervals(index, places[index], yAxis, area, &canvas)
            drawLine(index, places[index], &canvas)
        }
        if places.allSatisfy(\.isEmpty) { canvas.emptyNotice(in: area) }
        return canvas.finished()
    }

    /// The points of every line that have a place, from left to right.
    private var drawable: [[Point]] {
        lines.map { line in
            line.points
                .filter { Axis.canDraw($0.cost, scale: xScale) && Axis.canDraw($0.quality, scale: .linear) }
                .sorted { ($0.cost, $0.quality) < ($1.cost, $1.quality) }
        }
    }

    /// A bar through each mark of an emphasised line; what reaches beyond the axis is cut off.
    private func drawIntervals(
        _ index: Int, _ places: [(x: Double, y: Double)], _ axis: Axis, _ area: PlotArea, _ canvas: inout SVGCanvas
    ) {
        guard lines[index].isEmphasised else { return }
        let stroke = SVGCanvas.Stroke(colour: Palette.style(at: index).colour, width: 1.5, opacity: 0.6)
        for (place, point) in zip(places, drawable[index]) {
            guard let interval = point.interval else { continue }
            let ends = [interval.lowerBound, interval.upperBound].map { area.y(axis.clampedShare(of: $0)) }
            canvas.line(from: (place.x, ends[0]), to: (place.x, ends[1]), stroke: stroke)
        }
    }

    private func drawLine(_ index: Int, _ places: [(x: Double, y: Double)], _ canvas: inout SVGCanvas) {
        let style = Palette.style(at: index)
        let line = lines[index]
        if places.count > 1 {
            canvas.polyline(
                places,
                stroke: SVGCanvas.Stroke(
                    colour: style.colour, width: line.isEmphasised ? 3 : 1.5, dash: line.isEmphasised ? "" : style.dash)
            )
        }
        for (place, point) in zip(places, drawable[index]) {
            func text(_ value: Double) -> String { DecimalText.significant(value, digits: 4) }
            let interval = point.interval.map { " (\(text($0.lowerBound))–\(text($0.upperBound)))" } ?? ""
            canvas.marker(
                style.marker, x: place.x, y: place.y, colour: style.colour,
                tip: "\(line.label): \(text(point.cost)), \(text(point.quality))\(interval)")
        }
    }

    /// Each line's name beside its right end, moved up or down where names would overlap, with a thin line between.
    private func drawLabels(_ places: [[(x: Double, y: Double)]], _ area: PlotArea, _ canvas: inout SVGCanvas) {
        let ends = places.enumerated()
            .compactMap { index, places in places.last.map { (index: index, end: $0) } }
            .sorted { ($0.end.y, $0.index) < ($1.end.y, $1.index) }
        let heights = Self.spreadApart(
            ends.map(\.end.y), by: Self.labelHeight, from: area.top, to: area.bottom)
        let left = area.right + 36
        for (entry, y) in zip(ends, heights) {
            let style = Palette.style(at: entry.index)
            let line = lines[entry.index]
            canvas.polyline(
                [(entry.end.x, entry.end.y), (area.right + 6, entry.end.y), (left - 3, y)].map { (x: $0.0, y: $0.1) },
                stroke: SVGCanvas.Stroke(colour: style.colour, width: 0.75, opacity: 0.7))
            canvas.marker(style.marker, x: left + 4, y: y, colour: style.colour)
            let label = TextWidth.fitting(
                line.label, width: canvas.width - left - 16, size: PlotArea.labelSize)
            canvas.text(label, x: left + 13, y: y + 4, size: PlotArea.labelSize, bold: line.isEmphasised)
        }
    }

    /// Moves ascending positions until neighbours are `distance` apart and all lie from `low` to `high`, with the
    /// smallest sum of squared moves.
    ///
    /// Without the distances between them, positions need only not to descend; that is isotonic regression, which
    /// pooling neighbours into their mean solves (Ayer et al. 1955, https://doi.org/10.1214/aoms/1177728423).
    static func spreadApart(_ positions: [Double], by distance: Double, from low: Double, to high: Double) -> [Double] {
        var pools: [(sum: Double, count: Int)] = []
        for (index, position) in positions.enumerated() {
            var pool = (sum: position - Double(index) * distance, count: 1)
            while let last = pools.last, last.sum / Double(last.count) > pool.sum / Double(pool.count) {
                pool = (sum: pool.sum + last.sum, count: pool.count + last.count)
                pools.removeLast()
            }
            pools.append(pool)
        }
        let last = max(low, high - Double(positions.count - 1) * distance)
        return
            pools
            .flatMap { Array(repeating: min(last, max(low, $0.sum / Double($0.count))), count: $0.count) }
            .enumerated().map { $1 + Double($0) * distance }
    }
}
