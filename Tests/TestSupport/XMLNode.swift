/// An element of an XML text, read by a reader that knows just what this project writes and forgives nothing.
public struct XMLNode {
    public enum Fault: Error, Equatable {
        case unbalanced(String)
        case syntax(String)
    }

    public var name: String
    public var attributes: [String: String]
    public var children: [XMLNode] = []

    /// The text directly inside, entities resolved, without white space at the ends.
    public var text = ""

    /// All elements with a name, at any depth, in document order.
    public func all(_ name: String) -> [XMLNode] {
        children.flatMap { ($0.name == name ? [$0] : []) + $0.all(name) }
    }

    /// This element and all below it.
    public var everything: [XMLNode] { [self] + children.flatMap(\.everything) }

    /// An attribute's number, or NaN.
    public func number(_ attribute: String) -> Double { attributes[attribute].flatMap(Double.init) ?? .nan }

    /// The tool tip.
    public var tip: String? { children.first { $0.name == "title" }?.text }

    /// Reads a whole text, which must hold one element and nothing else but a document type before it.
    public static func parse(_ text: String) throws -> XMLNode {
        var rest = text[...]
        let doctype = "<!DOCTYPE html>\n"
        if rest.hasPrefix(doctype) { rest = rest.dropFirst(doctype.count) }
        var open = [XMLNode(name: "", attributes: [:])]
        while let start = rest.firstIndex(of: "<") {
            open[open.count - 1].text += try resolve(rest[..<start])
            guard let end = rest[start...].firstIndex(of: ">") else { throw Fault.syntax("a tag without an end") }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                let closed = open.removeLast()
                guard tag.dropFirst() == closed.name, !open.isEmpty else { throw Fault.unbalanced(String(tag)) }
                open[open.count - 1].children.append(closed.trimmed)
            } else if tag.hasSuffix("/") {
                open[open.count - 1].children.append(try element(tag.dropLast()))
            } else {
                open.append(try element(tag))
            }
        }
        guard open.count == 1, open[0].children.count == 1, open[0].trimmed.text.isEmpty,
            rest.allSatisfy(\.isWhitespace)
        else { throw Fault.unbalanced(open.last?.name ?? "") }
        return open[0].children[0]
    }

    private var trimmed: XMLNode {
        var node = self
        let ends = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace)
        node.text = String(ends.reversed())
        return node
    }

    /// Reads what stands between `<` and `>` of an element's start.
    private static func element(_ tag: Substring) throws -> XMLNode {
        let name = tag.prefix { $0 != " " }
        guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber }) else { throw Fault.syntax(String(tag)) }
        var attributes: [String: String] = [:]
        var rest = tag.dropFirst(name.count)
        while !rest.isEmpty {
            guard rest.hasPrefix(" "), let equals = rest.firstIndex(of: "="),
                rest[equals...].hasPrefix("=\"")
            else { throw Fault.syntax(String(tag)) }
            let key = String(rest[..<equals].dropFirst())
            let value = rest[equals...].dropFirst(2).prefix { $0 != "\"" }
            guard value.endIndex < rest.endIndex, attributes[key] == nil,
                key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" })
            else { throw Fault.syntax(String(tag)) }
            attributes[key] = try resolve(value)
            rest = rest[rest.index(after: value.endIndex)...]
        }
        return XMLNode(name: String(name), attributes: attributes)
    }

    /// Puts characters in the place of their entities.
    private static func resolve(_ text: Substring) throws -> String {
        let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "#39": "'"]
        var parts = text.split(separator: "&", omittingEmptySubsequences: false)
        var resolved = String(parts.removeFirst())
        for part in parts {
            guard let end = part.firstIndex(of: ";"), let character = entities[String(part[..<end])] else {
                throw Fault.syntax("&\(part)")
            }
            resolved += character + part[part.index(after: end)...]
        }
        return resolved
    }
}
