import Media

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

/// What a drawing shows and how to read it, in lines of text under its title.
struct Caption {
    private static let lineHeight = 16.0
    private static let top = 40.0
    private static let left = 12.0
    private let lines: [String]

    /// Breaks `text` between words into lines that fit a drawing of the default width.
    init(_ text: String) {
        let room = SVGCanvas.defaultWidth - 2 * Self.left
        lines = text.split(separator: " ").reduce(into: []) { lines, word in
            let longer = (lines.last.map { $0 + " " } ?? "") + word
            if !lines.isEmpty, TextWidth.of(longer, size: PlotArea.labelSize) <= room {
                lines[lines.count - 1] = longer
            } else {
                lines.append(TextWidth.fitting(String(word), width: room, size: PlotArea.labelSize))
            }
        }
    }

    /// Pixels down, 0 without text.
    var height: Double { lines.isEmpty ? 0 : Double(lines.count) * Self.lineHeight + 4 }

    /// Draws it under the heading.
    func draw(on canvas: inout SVGCanvas) {
        for (index, line) in lines.enumerated() {
            canvas.text(
                line, x: Self.left, y: Self.top + Double(index) * Self.lineHeight, size: PlotArea.labelSize,
                colour: Palette.quiet)
        }
    }
}

/// Says what the lines, marks and colours of a drawing mean; entries fill one row after the other.
struct Legend {
    enum Symbol {
        case line(Colour, dash: String, width: Double)
        case point(SeriesMarker, Colour, filled: Bool)
        case box(Colour, outline: Colour)
        case disc(fill: Colour, outline: Colour)
    }

    private struct Placed {
        var symbol: Symbol
        var label: String
        var x: Double
        var row: Int
    }

    private static let rowHeight = 19.0
    private static let symbolWidth = 26.0
    private var placed: [Placed] = []
    private var rows = 0

    /// Lays out `entries` within `width` pixels.
    init(_ entries: [(symbol: Symbol, label: String)], width: Double) {
        var x = 0.0
        for (symbol, label) in entries {
            let fitted = TextWidth.fitting(label, width: width - Self.symbolWidth, size: PlotArea.labelSize)
            let needed = Self.symbolWidth + TextWidth.of(fitted, size: PlotArea.labelSize)
            if rows == 0 || x + needed > width {
                rows += 1
                x = 0
            }
            placed.append(Placed(symbol: symbol, label: fitted, x: x, row: rows - 1))
            x += needed + 18
        }
    }

    /// Pixels down, 0 without entries.
    var height: Double { Double(rows) * Self.rowHeight }

    func draw(on canvas: inout SVGCanvas, left: Double, top: Double) {
        for entry in placed {
            let x = left + entry.x
            let y = top + Double(entry.row) * Self.rowHeight + Self.rowHeight / 2
            switch entry.symbol {
            case .line(let colour, let dash, let width):
                canvas.line(
                    from: (x, y), to: (x + 20, y), stroke: SVGCanvas.Stroke(colour: colour, width: width, dash: dash))
            case .point(let marker, let colour, let filled):
                canvas.marker(marker, x: x + 10, y: y, colour: colour, filled: filled)
            case .disc(let fill, let outline):
                canvas.circle(
                    x: x + 10, y: y, radius: 3.2, fill: fill, stroke: SVGCanvas.Stroke(colour: outline, width: 1.3))
            case .box(let colour, let outline):
                canvas.rectangle(
                    x: x + 3, y: y - 6, width: 14, height: 12, fill: colour, stroke: SVGCanvas.Stroke(colour: outline))
            }
            canvas.text(entry.label, x: x + Self.symbolWidth, y: y + 4, size: PlotArea.labelSize)
        }
    }
}
