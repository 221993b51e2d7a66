import Media

/// Draws shapes into an SVG (https://www.w3.org/TR/SVG11/); x grows to the right and y downwards, both in pixels.
struct SVGCanvas {
    /// The width of every drawing, in pixels.
    static let defaultWidth = 900.0

    /// Where a text stands against its position.
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
