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
