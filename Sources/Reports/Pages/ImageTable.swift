import FoundationEssentials
import Media

/// Images side by side, or clips, which play by themselves: what is compared across, its cases down.
public struct ImageTable: Sendable {
    /// One image with a line under it.
    public struct Entry: Sendable {
        /// Nil leaves the place empty.
        public var picture: Clip?
        public var caption: String

        public init(_ picture: Clip?, caption: String = "") {
            self.picture = picture
            self.caption = caption
        }
    }

    public struct Row: Sendable {
        public var title: String

        /// One entry per column; those that are missing at the end stay empty.
        public var entries: [Entry]

        public init(title: String, entries: [Entry]) {
            self.title = title
            self.entries = entries
        }
    }

    public var caption: String

    /// The heading of each column.
    public var columns: [String]
    public var rows: [Row]

    /// How wide an image is shown, in pixels of the page; a click shows it four times as wide.
    public var shownWidth: Int

    public init(caption: String = "", columns: [String], rows: [Row], shownWidth: Int = 128) {
        precondition(shownWidth > 0, "images are shown at least one pixel wide, not \(shownWidth)")
        self.caption = caption
        self.columns = columns
        self.rows = rows
        self.shownWidth = shownWidth
    }

    func write(to page: inout Markup) throws(ImageError) {
        var sources: [[String?]] = []
        for row in rows {
            var line: [String?] = []
            for entry in row.entries.prefix(columns.count) {
                guard let picture = entry.picture else {
                    line.append(nil)
                    continue
                }
                line.append("data:image/png;base64," + Data(try PNGWriter.encode(picture)).base64EncodedString())
            }
            sources.append(line)
        }
        page.element("div", ["class": "scroll"]) { page in
            page.element("table", ["class": "images", "style": "--shown: \(shownWidth)px"]) { page in
                if !caption.isEmpty { page.element("caption", text: caption) }
                page.element("thead") { page in
                    page.element("tr") { page in
                        page.element("td", text: "")
                        for column in columns { page.element("th", ["scope": "col"], text: column) }
                    }
                }
                page.element("tbody") { page in
                    for (row, sources) in zip(rows, sources) {
                        page.element("tr") { write(row, sources: sources, to: &$0) }
                    }
                }
            }
        }
    }

    private func write(_ row: Row, sources: [String?], to page: inout Markup) {
        page.element("th", ["scope": "row"], text: row.title)
        for (index, column) in columns.enumerated() {
            guard index < sources.count, let source = sources[index] else {
                page.element("td", text: "")
                continue
            }
            page.element("td") { page in
                page.element("label") { page in
                    page.element("input", ["type": "checkbox", "aria-label": "enlarge"])
                    page.element("img", ["src": source, "alt": "\(row.title), \(column)"])
                }
                let caption = row.entries[index].caption
                if !caption.isEmpty { page.element("div", ["class": "note"], text: caption) }
            }
        }
    }
}
