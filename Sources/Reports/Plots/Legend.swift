import Media

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
