/// Tables for spreadsheets and plotting programs: one line of names, then one line a row, by RFC 4180 with line feeds.
public enum CSV {
    /// The text of a table.
    public static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header] + rows).map { $0.map(cell).joined(separator: ",") + "\n" }.joined()
    }

    /// A cell, in quotes where it would be taken for something else.
    private static func cell(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
