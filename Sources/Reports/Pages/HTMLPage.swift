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

/// How a report looks.
enum HTMLStyle {
    /// Without `<`, `&` and `>`, so it needs no escaping in the page.
    static let sheet = """
        :root { color-scheme: light; }
        body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #2b2b2b;
          font: 15px/1.5 Helvetica, Arial, "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.6rem; line-height: 1.2; }
        h2 { font-size: 1.2rem; margin-top: 2.2rem; }
        p { max-width: 72ch; }
        pre { overflow-x: auto; padding: .7rem 1rem; background: #f4f4f2; font-size: 13px; }
        figure { margin: 1.5rem 0; }
        figure svg { max-width: 100%; height: auto; }
        figcaption, caption { max-width: 90ch; padding: .4rem 0; color: #5f5f5f; text-align: left; }
        .scroll { overflow-x: auto; margin: 1.5rem 0; }
        table { border-collapse: collapse; font-size: 14px; }
        th, td { padding: .25rem .7rem; text-align: left; vertical-align: top; }
        thead th { border-bottom: 1.5px solid #9a9a9a; vertical-align: bottom; }
        thead th[colspan] { border-bottom: 0; }
        thead th.group { border-bottom: 1px solid #cfcfcf; text-align: center; }
        tbody td { border-bottom: 1px solid #ececec; }
        th.section { padding-top: 1rem; border-bottom: 1px solid #cfcfcf; }
        td:first-child { white-space: nowrap; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .best { font-weight: bold; }
        tr.reference td { background: #f7f7f5; color: #5f5f5f; }
        .images th { border: 0; font-weight: normal; }
        .images td { padding: .3rem; border: 0; text-align: center; }
        .images label { cursor: zoom-in; }
        .images input { position: absolute; opacity: 0; }
        .images img { display: block; width: var(--shown); image-rendering: pixelated; }
        .images input:checked + img { width: calc(4 * var(--shown)); cursor: zoom-out; }
        .images input:focus-visible + img { outline: 3px solid #0072b2; }
        .note { font-size: 12px; color: #5f5f5f; font-variant-numeric: tabular-nums; }

        """
}
