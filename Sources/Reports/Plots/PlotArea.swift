/// The rectangle that a drawing's data fill, in pixels, and the axes around it.
struct PlotArea {
    static let tickSize = 11.0
    static let labelSize = 12.0
    static let titleSize = 15.0

    var left: Double
    var top: Double
    var width: Double
    var height: Double

    var right: Double { left + width }
    var bottom: Double { top + height }

    /// From a share of the horizontal axis to a position.
    func x(_ share: Double) -> Double { left + share * width }

    /// From a share of the vertical axis to a position; shares grow upwards.
    func y(_ share: Double) -> Double { bottom - share * height }

    /// The room that the labels of a vertical axis and its title take, left of the area.
    static func room(leftOf axis: Axis) -> Double {
        (axis.ticks.map { TextWidth.of($0.label, size: tickSize) }.max() ?? 0) + 8 + labelSize + 18
    }
}

extension SVGCanvas {
    /// The drawing's title, at its top left.
    mutating func heading(_ title: String) {
        let size = PlotArea.titleSize
        text(TextWidth.fitting(title, width: width - 24, size: size), x: 12, y: 23, size: size, bold: true)
    }

    /// A vertical axis left of the area, with grid lines across it.
    mutating func verticalAxis(_ axis: Axis, title: String, area: PlotArea) {
        for tick in axis.ticks {
            let y = area.y(axis.clampedShare(of: tick.value))
            line(from: (area.left, y), to: (area.right, y), stroke: Stroke(colour: Palette.grid))
            text(
                tick.label, x: area.left - 7, y: y + 4, size: PlotArea.tickSize, anchor: .end, colour: Palette.quiet)
        }
        let fitted = TextWidth.fitting(title, width: area.height + 20, size: PlotArea.labelSize)
        text(
            fitted, x: area.left - PlotArea.room(leftOf: axis) + PlotArea.labelSize + 5, y: area.top + area.height / 2,
            size: PlotArea.labelSize, anchor: .middle, turned: true)
    }

    /// A horizontal axis: grid lines across the area, labels and title from `top` downwards.
    mutating func horizontalAxis(
        _ axis: Axis, title: String, area: PlotArea, labelsFrom top: Double, hasGrid: Bool = true
    ) {
        for tick in axis.ticks {
            let x = area.x(axis.clampedShare(of: tick.value))
            if hasGrid { line(from: (x, area.top), to: (x, area.bottom), stroke: Stroke(colour: Palette.grid)) }
            text(tick.label, x: x, y: top + 15, size: PlotArea.tickSize, anchor: .middle, colour: Palette.quiet)
        }
        text(
            TextWidth.fitting(title, width: area.width, size: PlotArea.labelSize), x: area.left + area.width / 2,
            y: top + 34, size: PlotArea.labelSize, anchor: .middle)
    }

    /// The outline of the area.
    mutating func frame(_ area: PlotArea) {
        let stroke = Stroke(colour: Palette.frame)
        line(from: (area.left, area.top), to: (area.left, area.bottom), stroke: stroke)
        line(from: (area.left, area.bottom), to: (area.right, area.bottom), stroke: stroke)
    }

    /// Says that there is nothing to draw.
    mutating func emptyNotice(in area: PlotArea) {
        text(
            "no data", x: area.left + area.width / 2, y: area.top + area.height / 2 + 4, size: PlotArea.labelSize,
            anchor: .middle, colour: Palette.quiet)
    }
}
