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
