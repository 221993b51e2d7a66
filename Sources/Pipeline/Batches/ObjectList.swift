import Models

/// Lists in JSON: an object for each image, one after the other, each from a line of its own on, or all in one array.
struct ObjectList {
    private var text: ListText
    private var scanner: StrictJSON.Scanner
    private let names: ListNames

    /// Reads all objects of a text.
    static func entries(of text: ListText, names: ListNames) throws(ListText.Problem) -> [BatchFile.Entry] {
        var list = ObjectList(text: text, scanner: StrictJSON.Scanner(text.bytes), names: names)
        let entries = list.scanner.accept("[") ? try list.array() : try list.lines()
        let end = list.scanner.offset
        guard end == text.bytes.count else { throw list.problem("text after the end of the list", at: end) }
        return entries
    }

    /// The objects up to the bracket that closes the array.
    private mutating func array() throws(ListText.Problem) -> [BatchFile.Entry] {
        var entries: [BatchFile.Entry] = []
        if scanner.accept("]") { return [] }
        repeat { entries.append(try object()) } while scanner.accept(",")
        try read { scanner throws(JSONProblem) in try scanner.expect("]") }
        return entries
    }

    /// The objects up to the end of the text.
    private mutating func lines() throws(ListText.Problem) -> [BatchFile.Entry] {
        var entries: [BatchFile.Entry] = []
        var last = 0
        while scanner.next != nil {
            let start = scanner.offset
            if text.place(of: start).line == last {
                throw problem("text after an image; begin a line for each, or put all into one array", at: start)
            }
            entries.append(try object())
            last = text.place(of: scanner.end).line
        }
        return entries
    }

    private mutating func object() throws(ListText.Problem) -> BatchFile.Entry {
        let start = scanner.offset
        let place = text.place(of: start)
        guard scanner.accept("{") else {
            throw problem("not a JSON object; write an image as {\"class\": 3, \"seed\": 7}", at: start)
        }
        var fields: [String: BatchFile.Field] = [:]
        if !scanner.accept("}") {
            repeat { try member(of: &fields) } while scanner.accept(",")
            try read { scanner throws(JSONProblem) in try scanner.expect("}") }
        }
        return BatchFile.Entry(place: place, fields: fields)
    }

    private mutating func member(of fields: inout [String: BatchFile.Field]) throws(ListText.Problem) {
        let start = scanner.offset
        let key = try read { scanner throws(JSONProblem) in try scanner.string() }
        guard names.contains(key) else { throw problem(names.unknown(key, kind: "name"), at: start) }
        let name = ListNames.canonical(key)
        guard fields[name] == nil else { throw problem("\(name) is given twice; keep one", at: start) }
        try read { scanner throws(JSONProblem) in try scanner.expect(":") }
        let place = scanner.offset
        switch try read({ scanner throws(JSONProblem) in try scanner.value() }) {
        case .string(""):
            throw problem("\(name) is an empty text; leave it out, or give it a value", at: place)
        case .string(let value), .number(let value):
            fields[name] = try ListNames.field(value, of: name, at: text.place(of: place))
        case .other:
            throw problem("\(name) is no number and no text; give one, or leave it out", at: place)
        }
    }

    /// Reads a token.
    @discardableResult
    private mutating func read<Token>(
        _ token: (inout StrictJSON.Scanner) throws(JSONProblem) -> Token
    ) throws(ListText.Problem) -> Token {
        do throws(JSONProblem) {
            return try token(&scanner)
        } catch {
            throw problem("not JSON: \(error.reason)", at: error.offset)
        }
    }

    private mutating func problem(_ reason: String, at offset: Int) -> ListText.Problem {
        ListText.Problem(reason: reason.onOneLine, place: text.place(of: offset))
    }
}
