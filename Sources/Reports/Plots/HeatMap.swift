import Media

/// Numbers as colours: steps from left to right, blocks or frequency bands from top to bottom.
public struct HeatMap: Sendable {
    /// One line of cells.
    public struct Row: Sendable {
        public var label: String

        /// One value per step. What cannot be drawn (NaN, infinity, on a logarithmic scale zero and below) stays gray.
        public var values: [Double]

        public init(label: String, values: [Double]) {
            self.label = label
            self.values = values
        }
    }

    public var title: String

    /// How to read it, under the title; nothing if empty.
    public var caption: String

    /// What a column is, also in tool tips and legend.
    public var xTitle: String
    public var yTitle: String

    /// What the colours measure.
    public var valueTitle: String
    public var rows: [Row]

    /// The scale of the colours.
    public var scale: AxisScale

    /// The plan whose full and reused steps are marked under the cells.
    public var marks: [PlanRow]

    public init(
        title: String, caption: String = "", xTitle: String = "step", yTitle: String, valueTitle: String, rows: [Row],
        scale: AxisScale = .linear, marks: [PlanRow] = []
    ) {
        self.title = title
        self.caption = caption
        self.xTitle = xTitle
        self.yTitle = yTitle
        self.valueTitle = valueTitle
        self.rows = rows
        self.scale = scale
        self.marks = marks
    }

    /// Draws it, 900 pixels wide.
    public func svg() -> SVG {
        let axis = Axis(steps: max(marks.stepCount, rows.map(\.values.count).max() ?? 0))
        let values = rows.flatMap(\.values)
        let colours = Axis(covering: values, scale: scale)
        let rowHeight = min(26, max(9, 360 / Double(max(1, rows.count))))
        let labels = rows.map(\.label) + marks.map(\.label)
        let labelRoom = (labels.map { TextWidth.of($0, size: PlotArea.tickSize) }.max() ?? 0) + 16
        let left = min(200, labelRoom + PlotArea.labelSize + 12)
        let barRoom = PlotArea.room(leftOf: colours) + 40
        let hasMissing = values.contains { colours.share(of: $0) == nil }
        let caption = Caption(caption)
        let legend = Legend(
            (marks.isEmpty ? [] : [PlanRow].legend(unit: xTitle))
                + (hasMissing ? [(.box(Palette.missing, outline: Palette.frame), "no value")] : []),
            width: SVGCanvas.defaultWidth - 24)
        let area = PlotArea(
            left: left, top: 44 + caption.height + legend.height, width: SVGCanvas.defaultWidth - left - barRoom,
            height: max(60, rowHeight * Double(rows.count)))
        let strip = marks.isEmpty ? 0 : marks.height + 6

        var canvas = SVGCanvas(height: max(area.bottom + strip + 46, area.top + 150), title: title)
        canvas.heading(title)
        caption.draw(on: &canvas)
        legend.draw(on: &canvas, left: 12, top: 33 + caption.height)
        drawCells(axis, colours, area, rowHeight, &canvas)
        drawLabels(area, rowHeight, &canvas)
        canvas.planRows(marks, axis: axis, area: area, top: area.bottom + 4, unit: xTitle)
        canvas.horizontalAxis(axis, title: xTitle, area: area, labelsFrom: area.bottom + strip, hasGrid: false)
        drawBar(colours, area, &canvas)
        if values.isEmpty { canvas.emptyNotice(in: area) }
        return canvas.finished()
    }

    private func drawCells(
        _ axis: Axis, _ colours: Axis, _ area: PlotArea, _ rowHeight: Double, _ canvas: inout SVGCanvas
    ) {
        let cell = area.width / (axis.upperBound - axis.lowerBound)
        canvas.group(["class": "cells", "shape-rendering": "crispEdges"]) { canvas in
            for (index, row) in rows.enumerated() {
                for (step, value) in row.values.enumerated() {
                    let share = colours.share(of: value)
                    canvas.rectangle(
                        x: area.left + Double(step) * cell, y: area.top + Double(index) * rowHeight, width: cell,
                        height: rowHeight, fill: share.map(ColourMap.colour) ?? Palette.missing,
                        tip: "\(row.label), \(xTitle) \(step): \(DecimalText.significant(value, digits: 3))")
                }
            }
        }
    }

    /// The rows' names, every so many of them where the rows are lower than a line of text, and the axis title.
    private func drawLabels(_ area: PlotArea, _ rowHeight: Double, _ canvas: inout SVGCanvas) {
        let every = Int(((PlotArea.tickSize + 1) / rowHeight).rounded(.up))
        for (index, row) in rows.enumerated() where index % every == 0 {
            let label = TextWidth.fitting(
                row.label, width: area.left - 16 - PlotArea.labelSize - 10, size: PlotArea.tickSize)
            canvas.text(
                label, x: area.left - 7, y: area.top + (Double(index) + 0.5) * rowHeight + 4, size: PlotArea.tickSize,
                anchor: .end, colour: Palette.quiet)
        }
        canvas.text(
            TextWidth.fitting(yTitle, width: area.height + 20, size: PlotArea.labelSize), x: PlotArea.labelSize + 4,
            y: area.top + area.height / 2, size: PlotArea.labelSize, anchor: .middle, turned: true)
    }

    /// The colours with their numbers, right of the cells.
    private func drawBar(_ colours: Axis, _ area: PlotArea, _ canvas: inout SVGCanvas) {
        let bar = PlotArea(left: area.right + 22, top: area.top, width: 14, height: min(300, max(100, area.height)))
        let bands = 64
        canvas.group(["shape-rendering": "crispEdges"]) { canvas in
            for band in 0..<bands {
                let top = Double(band) / Double(bands)
                canvas.rectangle(
                    x: bar.left, y: bar.top + top * bar.height, width: bar.width, height: bar.height / Double(bands),
                    fill: ColourMap.colour(at: 1 - top - 0.5 / Double(bands)))
            }
        }
        var widest = 0.0
        for tick in colours.ticks {
            let y = bar.y(colours.clampedShare(of: tick.value))
            canvas.line(
                from: (bar.right, y), to: (bar.right + 4, y), stroke: SVGCanvas.Stroke(colour: Palette.frame))
            canvas.text(
                tick.label, x: bar.right + 8, y: y + 4, size: PlotArea.tickSize, colour: Palette.quiet)
            widest = max(widest, TextWidth.of(tick.label, size: PlotArea.tickSize))
        }
        canvas.text(
            TextWidth.fitting(valueTitle, width: bar.height + 40, size: PlotArea.labelSize),
            x: bar.right + 8 + widest + 18, y: bar.top + bar.height / 2, size: PlotArea.labelSize, anchor: .middle,
            turned: true)
    }
}

/// Colours for numbers: from dark for the least to light for the greatest, so that they keep their order in gray too.
enum ColourMap {
    /// Five colours at equal distances, each lighter than the one before.
    private static let anchors = [0x2B1A58, 0x2C5A93, 0x1F9290, 0x74C365, 0xF8E66A].map(Colour.init(hexadecimal:))

    /// The colour at a share from 0 to 1, between two anchors in proportion.
    static func colour(at share: Double) -> Colour {
        let place = min(1, max(0, share)) * Double(anchors.count - 1)
        let index = min(Int(place), anchors.count - 2)
        let (low, high, rest) = (anchors[index], anchors[index + 1], place - Double(index))
        func mix(_ channel: KeyPath<Colour, UInt8>) -> UInt8 {
            let from = Double(low[keyPath: channel])
            return UInt8((from + (Double(high[keyPath: channel]) - from) * rest).rounded())
        }
        return Colour(red: mix(\.red), green: mix(\.green), blue: mix(\.blue))
    }
}
