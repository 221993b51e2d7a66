import Media

/// A page of HTML in one file: it loads nothing, runs no script, and can be mailed or put anywhere.
public struct HTMLPage: Sendable {
    /// What a page consists of, from top to bottom.
    public enum Block: Sendable {
        case heading(String)
        case paragraph(String)

        /// Lines as they are typed, such as the command that reproduces a table.
        case code(String)
        case table(HTMLTable)
        case drawing(SVG, caption: String = "")
        case images(ImageTable)
    }

    public var title: String
    public var blocks: [Block]

    public init(title: String, blocks: [Block] = []) {
        self.title = title
        self.blocks = blocks
    }

    /// The page's text, which says in its head that it is UTF-8. Equal content gives equal text.
    ///
    /// - Throws: ``ImageError/tooLarge(what:limit:)`` for an image beyond 2^28 pixels.
    public func text() throws(ImageError) -> String {
        var body = Markup()
        body.element("h1", text: title)
        for block in blocks {
            switch block {
            case .heading(let text): body.element("h2", text: text)
            case .paragraph(let text): body.element("p", text: text)
            case .code(let text): body.element("pre", text: text)
            case .table(let table): table.write(to: &body)
            case .images(let table): try table.write(to: &body)
            case .drawing(let drawing, let caption):
                body.element("figure") { figure in
                    figure.verbatim(drawing.text)
                    if !caption.isEmpty { figure.element("figcaption", text: caption) }
                }
            }
        }
        var page = Markup()
        page.element("html", ["lang": "en"]) { page in
            page.element("head") { writeHead(to: &$0) }
            page.element("body") { $0.verbatim(body.text) }
        }
        return "<!DOCTYPE html>\n" + page.text
    }

    /// The text in UTF-8.
    ///
    /// - Throws: As ``text()``.
    public func bytes() throws(ImageError) -> [UInt8] { Array(try text().utf8) }

    private func writeHead(to head: inout Markup) {
        head.element("meta", ["charset": "utf-8"])
        // The browser itself then refuses whatever might slip in by way of a text.
        head.element(
            "meta",
            [
                "http-equiv": "Content-Security-Policy",
                "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
            ])
        head.element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        head.element("title", text: title)
        head.element("style") { $0.verbatim(HTMLStyle.sheet) }
    }
}
