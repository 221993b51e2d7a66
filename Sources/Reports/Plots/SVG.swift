/// A finished drawing.
///
/// It refers to nothing outside itself and names nothing (no `id`), so that any number of drawings can stand in one page.
public struct SVG: Equatable, Sendable {
    /// Pixels across, at the drawing's natural size.
    public let width: Int

    /// Pixels down, at the drawing's natural size.
    public let height: Int

    /// The `svg` element: the whole of a file, and fit to stand in a page of HTML.
    public let text: String

    /// The text in UTF-8.
    public var bytes: [UInt8] { Array(text.utf8) }
}
