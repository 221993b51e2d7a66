import Media

/// Draws shapes into an SVG (https://www.w3.org/TR/SVG11/); x grows to the right and y downwards, both in pixels.
struct SVGCanvas {
    /// The width of every drawing, in pixels.
    static let defaultWidth = 900.0

    /// Which part of a text is at its position.
    enum Anchor: String {
        case start, middle, end
    }

    /// How an outline or a line is drawn.
    struct Stroke {
        var colour: Colour
        var width = 1.0
        var dash = ""
        var opacity = 1.0
    }

    let width: Double
    let height: Double
    private let title: String
    private var markup = Markup()

    /// An empty drawing on white; `title` is what a screen reader says.
    init(width: Double = defaultWidth, height: Double, title: String) {
        self.width = width.rounded(.up)
        self.height = height.rounded(.up)
        self.title = title
        rectangle(x: 0, y: 0, width: self.width, height: self.height, fill: .white)
    }

    /// The drawing so far.
    func finished() -> SVG {
        var document = Markup()
        let size = (width: Int(width), height: Int(height))
        document.element(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "width": "\(size.width)", "height": "\(size.height)",
                "viewBox": "0 0 \(size.width) \(size.height)", "role": "img",
                "font-family": "Helvetica, Arial, 'DejaVu Sans', sans-serif",
            ]
        ) { document in
            document.element("title", text: title)
            document.verbatim(markup.text)
        }
        return SVG(width: size.width, height: size.height, text: document.text)
    }

    /// A filled rectangle; `tip` is shown where the pointer rests on it.
    mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, fill: Colour, opacity: Double = 1, stroke: Stroke? = nil,
        tip: String? = nil
    ) {
        let place: Markup.Attributes = [
            "x": Self.number(x), "y": Self.number(y), "width": Self.number(width), "height": Self.number(height),
        ]
        shape("rect", place, fill: fill, fillOpacity: opacity, stroke: stroke, tip: tip)
    }

    mutating func circle(
        x: Double, y: Double, radius: Double, fill: Colour?, stroke: Stroke? = nil, tip: String? = nil
    ) {
        let place: Markup.Attributes = ["cx": Self.number(x), "cy": Self.number(y), "r": Self.number(radius)]
        shape("circle", place, fill: fill, stroke: stroke, tip: tip)
    }

    mutating func line(from start: (x: Double, y: Double), to end: (x: Double, y: Double), stroke: Stroke) {
        let place: Markup.Attributes = [
            "x1": Self.number(start.x), "y1": Self.number(start.y), "x2": Self.number(end.x), "y2": Self.number(end.y),
        ]
        shape("line", place, fill: nil, stroke: stroke)
    }

    mutating func polyline(_ points: [(x: Double, y: Double)], stroke: Stroke) {
        shape("polyline", ["points": Self.list(points), "stroke-linejoin": "round"], fill: nil, stroke: stroke)
    }

    mutating func polygon(
        _ points: [(x: Double, y: Double)], fill: Colour?, opacity: Double = 1, stroke: Stroke? = nil,
        tip: String? = nil
    ) {
        shape("polygon", ["points": Self.list(points)], fill: fill, fillOpacity: opacity, stroke: stroke, tip: tip)
    }

    /// A line of text whose baseline is at `y`; `turned` runs upwards.
    mutating func text(
        _ text: String, x: Double, y: Double, size: Double, anchor: Anchor = .start, colour: Colour = Palette.ink,
        bold: Bool = false, turned: Bool = false
    ) {
        var attributes: Markup.Attributes = [
            "x": Self.number(x), "y": Self.number(y), "font-size": Self.number(size), "text-anchor": anchor.rawValue,
            "fill": colour.hexadecimal,
        ]
        if bold { attributes.append("font-weight", "bold") }
        if turned { attributes.append("transform", "rotate(-90 \(Self.number(x)) \(Self.number(y)))") }
        markup.element("text", attributes, text: text)
    }

    /// Puts what `body` draws into one element.
    mutating func group(_ attributes: Markup.Attributes, body: (inout SVGCanvas) -> Void) {
        var part = self
        part.markup = Markup()
        body(&part)
        markup.element("g", attributes) { $0.verbatim(part.markup.text) }
    }

    private mutating func shape(
        _ name: String, _ place: Markup.Attributes, fill: Colour?, fillOpacity: Double = 1, stroke: Stroke?,
        tip: String? = nil
    ) {
        var attributes = place
        attributes.append("fill", fill?.hexadecimal ?? "none")
        if fillOpacity < 1 { attributes.append("fill-opacity", Self.number(fillOpacity)) }
        if let stroke {
            attributes.append("stroke", stroke.colour.hexadecimal)
            attributes.append("stroke-width", Self.number(stroke.width))
            if !stroke.dash.isEmpty { attributes.append("stroke-dasharray", stroke.dash) }
            if stroke.opacity < 1 { attributes.append("stroke-opacity", Self.number(stroke.opacity)) }
        }
        guard let tip else { return markup.element(name, attributes) }
        markup.element(name, attributes) { $0.element("title", text: tip) }
    }

    private static func list(_ points: [(x: Double, y: Double)]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }

    private static func number(_ value: Double) -> String {
        precondition(value.isFinite, "only finite numbers can be drawn")
        return DecimalText.fixed(value, digits: 2)
    }
}

/// A finished drawing.
///
/// It refers to nothing outside itself and names nothing (no `id`), so one page can hold any number of drawings.
public struct SVG: Equatable, Sendable {
    /// Pixels across, at the drawing's natural size.
    public let width: Int

    /// Pixels down, at the drawing's natural size.
    public let height: Int

    /// The `svg` element: a file by itself, or a part of an HTML page.
    public let text: String

    /// The text in UTF-8.
    public var bytes: [UInt8] { Array(text.utf8) }
}

/// Estimates how much room a text takes, since nothing here knows the reader's fonts.
///
/// The estimate is that of a wide sans-serif face: a line that fits by it fits in the common ones.
enum TextWidth {
    /// The width in pixels of `text` at a font size of `size` pixels.
    static func of(_ text: String, size: Double) -> Double {
        text.unicodeScalars.reduce(0) { $0 + ems($1) } * size
    }

    /// `text`, cut with an ellipsis where it would be wider than `width`.
    static func fitting(_ text: String, width: Double, size: Double) -> String {
        var used = 0.0
        let room = width - of("…", size: size)
        // The longest start that leaves room for the ellipsis; all of it if that fits without one.
        var end = text.startIndex
        for index in text.indices {
            used += of(String(text[index]), size: size)
            if used <= room { end = text.index(after: index) }
            guard used <= width else { return text[..<end] + "…" }
        }
        return text
    }

    private static func ems(_ scalar: Unicode.Scalar) -> Double {
        switch scalar {
        case "i", "j", "l", "I", "'", "|", ".", ",", ":", ";", "!", " ", "(", ")", "[", "]", "t", "f", "r": 0.4
        case "m", "w", "M", "W", "%", "@", "…": 1
        case "A"..."Z", "+", "=", "<", ">", "~", "±", "×": 0.8
        case "\u{0}"..."\u{2FF}": 0.64
        case "\u{300}"..."\u{36F}": 0
        case "\u{370}"..."\u{10FF}", "\u{1E00}"..."\u{22FF}": 0.7
        default: 1.1
        }
    }
}
