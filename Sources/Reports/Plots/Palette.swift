import Media

/// The colours of the drawings, all distinguishable on white and by colour-blind readers.
enum Palette {
    static let ink = Colour(gray: 0x2B)
    static let quiet = Colour(gray: 0x5F)
    static let grid = Colour(gray: 0xE4)
    static let frame = Colour(gray: 0x9A)

    /// A step that is evaluated.
    static let full = Colour(hexadecimal: 0x33485C)

    /// A step that is reused.
    static let reused = Colour(hexadecimal: 0xF3E3C3)

    /// A missing value.
    static let missing = Colour(gray: 0xEE)

    /// The set of Okabe and Ito (https://jfly.uni-koeln.de/color/) without its yellow, which white swallows, and with
    /// gray for its black.
    static let series = [
        0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x6B6B6B,
    ].map(Colour.init(hexadecimal:))

    /// How the series at a place in the list is drawn: every place has another combination, up to 42 of them.
    static func style(at index: Int) -> SeriesStyle {
        let markers = SeriesMarker.allCases
        let dashes = ["", "6 3", "2 2", "8 3 2 3"]
        return SeriesStyle(
            colour: series[index % series.count], dash: dashes[index / series.count % dashes.count],
            marker: markers[index % markers.count])
    }
}

/// The look that distinguishes a series.
struct SeriesStyle: Equatable {
    var colour: Colour
    var dash: String
    var marker: SeriesMarker
}

/// The shape that marks a point.
enum SeriesMarker: CaseIterable {
    case circle, square, upward, diamond, downward, cross
}

extension Colour {
    /// The colour 0xRRGGBB.
    init(hexadecimal: Int) {
        self.init(
            red: UInt8(hexadecimal >> 16 & 255), green: UInt8(hexadecimal >> 8 & 255), blue: UInt8(hexadecimal & 255))
    }

    /// `#rrggbb`.
    var hexadecimal: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension SVGCanvas {
    /// A point's mark, about 7 pixels across.
    mutating func marker(
        _ marker: SeriesMarker, x: Double, y: Double, colour: Colour, filled: Bool = true, tip: String? = nil
    ) {
        let stroke = Stroke(colour: filled ? .white : colour, width: filled ? 0.75 : 1.5)
        let fill = filled ? colour : Colour.white
        func corners(_ offsets: [(Double, Double)]) -> [(x: Double, y: Double)] {
            offsets.map { (x: x + $0.0, y: y + $0.1) }
        }
        switch marker {
        case .circle:
            circle(x: x, y: y, radius: 3.8, fill: fill, stroke: stroke, tip: tip)
        case .square:
            polygon(
                corners([(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)]), fill: fill, stroke: stroke, tip: tip)
        case .upward:
            polygon(corners([(0, -4.6), (4.3, 3.4), (-4.3, 3.4)]), fill: fill, stroke: stroke, tip: tip)
        case .diamond:
            polygon(corners([(0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)]), fill: fill, stroke: stroke, tip: tip)
        case .downward:
            polygon(corners([(0, 4.6), (4.3, -3.4), (-4.3, -3.4)]), fill: fill, stroke: stroke, tip: tip)
        case .cross:
            let (a, b) = (1.4, 4.4)
            polygon(
                corners([
                    (-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a),
                    (-a, -a),
                ]), fill: fill, stroke: stroke, tip: tip)
        }
    }
}
