/// Builds XML text element by element, escaping all that is put into it.
///
/// HTML is written by the same rules (every element closed, every attribute in double quotes), so that both can be
/// checked as XML.
struct Markup {
    /// Names and values of an element's attributes, in their order.
    struct Attributes: ExpressibleByDictionaryLiteral {
        fileprivate var pairs: [(name: String, value: String)]

        init(dictionaryLiteral pairs: (String, String)...) {
            self.pairs = pairs.map { (name: $0.0, value: $0.1) }
        }

        mutating func append(_ name: String, _ value: String) { pairs.append((name: name, value: value)) }
    }

    private(set) var text = ""

    /// Writes an element around what `body` writes.
    mutating func element(_ name: String, _ attributes: Attributes = [:], body: (inout Markup) -> Void) {
        start(name, attributes)
        text += ">\n"
        body(&self)
        text += "</\(name)>\n"
    }

    /// Writes an element around `content`, all on one line.
    mutating func element(_ name: String, _ attributes: Attributes = [:], text content: String) {
        start(name, attributes)
        text += ">\(Self.escape(content))</\(name)>\n"
    }

    /// Writes an element without content.
    mutating func element(_ name: String, _ attributes: Attributes = [:]) {
        start(name, attributes)
        text += "/>\n"
    }

    /// Writes `markup` unescaped.
    mutating func verbatim(_ markup: String) {
        text += markup
    }

    private mutating func start(_ name: String, _ attributes: Attributes) {
        text += "<\(name)"
        for (name, value) in attributes.pairs { text += " \(name)=\"\(Self.escape(value))\"" }
    }

    /// `text` escaped for an element and for a quoted attribute.
    ///
    /// Characters that XML 1.0 has no way to write (section 2.2, https://www.w3.org/TR/xml/#charsets) become U+FFFD, and so
    /// do those that control instead of showing something: the other control codes, line separators, and what changes the
    /// direction of the text behind it.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n", "\r": escaped.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{202A}"..."\u{202E}",
                "\u{2066}"..."\u{2069}", "\u{FFFE}", "\u{FFFF}":
                escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
