import Foundation
import PipelineSupport
import Reports
import Testing

@testable import Pipeline

/// Lists of images: what a line says, and what no line may say.
@Suite struct BatchFileTests {
    private static let names: Set = ["class", "seed", "steps", "cfg-scale", "sampler"]

    private func entries(_ text: String) throws -> [BatchFile.Entry] {
        try BatchFile(bytes: Array(text.utf8), path: "list", names: Self.names).entries
    }

    /// The values of each image.
    private func fields(_ text: String) throws -> [[String: String]] {
        try entries(text).map { $0.fields.mapValues(\.text) }
    }

    /// The message for a text that is no list.
    private func refusal(of text: String) -> String { refusal(of: Array(text.utf8)) }

    /// The message for bytes that are no list.
    private func refusal(of bytes: [UInt8]) -> String {
        do throws(PipelineError) {
            _ = try BatchFile(bytes: bytes, path: "list", names: Self.names)
            return "nothing refused"
        } catch {
            guard case .badData(let message) = error else { return "another kind: \(error)" }
            return message
        }
    }

    @Test func `CSV and JSON lines of the same values are the same fields`() throws {
        let csv = try fields("class,seed,cfg-scale\nowl,5,1.5\n3,6,2\n")
        let json = try fields(
            #"{"class": "owl", "seed": 5, "cfg-scale": 1.5}"# + "\n{\"class\":3,\"seed\":6,\"cfg-scale\":2}")
        #expect(csv == json)
        #expect(
            csv == [
                ["class": "owl", "seed": "5", "cfg-scale": "1.5"], ["class": "3", "seed": "6", "cfg-scale": "2"],
            ])
    }

    @Test(arguments: ["\n", "\r\n", "\r"], ["", "\u{FEFF}"])
    func `line ends, a byte-order mark and empty lines change nothing but the numbers of lines`(
        end: String, mark: String
    ) throws {
        let plain = try entries("class,seed\nowl,5\nfox,6\n")
        let other = try entries(mark + ["class,seed", "", "owl,5", "  ", "fox,6", ""].joined(separator: end))
        #expect(other.map { $0.fields.mapValues(\.text) } == plain.map { $0.fields.mapValues(\.text) })
        #expect(plain.map(\.place.line) == [2, 3] && other.map(\.place.line) == [3, 5])
    }

    @Test func `an underscore in a name is a dash`() throws {
        #expect(try fields("seed,cfg_scale\n1,2\n")[0] == ["seed": "1", "cfg-scale": "2"])
        #expect(try fields(#"{"seed": 1, "cfg_scale": 2}"#)[0] == ["seed": "1", "cfg-scale": "2"])
    }

    @Test func `an empty CSV field is one that is not given`() throws {
        #expect(try fields("class,seed,steps\nowl,,\n,7,\"\"\n") == [["class": "owl"], ["seed": "7"]])
    }

    @Test(arguments: [
        (#""tench, Tinca tinca",1"#, "tench, Tinca tinca"), (#""say ""owl""",1"#, #"say "owl""#),
        (#"  "owl"  ,1"#, "owl"),
        ("  red fox ,1", "red fox"), (#"a "b" c,1"#, #"a "b" c"#),
    ])
    func `quotes keep commas, and two of them are one`(line: String, name: String) throws {
        #expect(try fields("class,seed\n\(line)\n")[0]["class"] == name)
    }

    @Test func `a large whole number keeps all of its digits`() throws {
        #expect(try fields(#"{"seed": 4294967295}"#)[0]["seed"] == "4294967295")
    }

    @Test(arguments: [
        ("class;seed\nowl;5\n", [["class": "owl", "seed": "5"]]),
        ("class\tseed\nowl\t5\n", [["class": "owl", "seed": "5"]]),
        ("sep=;\nclass;seed\n\"a;b\";5\n", [["class": "a;b", "seed": "5"]]),
        ("class\tseed\tsteps\nred fox\t5\t\n", [["class": "red fox", "seed": "5"]]),
        ("seed;class\n5;tench, Tinca tinca\n", [["class": "tench, Tinca tinca", "seed": "5"]]),
        ("\"class\" , \"seed\" \nowl,5\n", [["class": "owl", "seed": "5"]]),
        ("Class,SEED\nowl,5\n", [["class": "owl", "seed": "5"]]),
        ("class,seed,\nowl,5,\nfox,6\n", [["class": "owl", "seed": "5"], ["class": "fox", "seed": "6"]]),
        ("class,seed\nowl,5,,\n", [["class": "owl", "seed": "5"]]), ("seed\n5\n", [["seed": "5"]]),
    ])
    func `a table is read by the separator that its names tell, whatever a spreadsheet adds`(
        text: String, expected: [[String: String]]
    ) throws {
        #expect(try fields(text) == expected)
    }

    @Test(arguments: [
        "[{\"class\": \"owl\", \"seed\": 5}, {\"seed\": 6}]",
        "[\n  {\n    \"class\": \"owl\",\n    \"seed\": 5\n  },\n  {\n    \"seed\": 6\n  }\n]\n",
        "{\n \"class\": \"owl\",\n \"seed\": 5\n}\n{\n \"seed\": 6\n}\n",
        "\r\n{\"class\":\"owl\",\"seed\":5}\r\n\r\n{\"Seed\":6}",
    ])
    func `objects of JSON are one list in lines, in an array, and with line breaks`(text: String) throws {
        #expect(try fields(text) == [["class": "owl", "seed": "5"], ["seed": "6"]])
    }

    @Test(arguments: [
        ("5", "5"), ("5.0", "5"), ("5.", "5"), ("4294967295.000", "4294967295"), ("1e3", "1000"), ("2E+5", "200000"),
        ("0", "0"),
        ("-3.0", "-3"), ("5.5", "5.5"), ("1.5e3", "1.5e3"), ("4.29E+09", "4.29E+09"), ("1e-3", "1e-3"),
        ("1e99", "1e99"),
        ("1,000", "1,000"), ("1 000", "1 000"), ("0x10", "0x10"), ("owl", "owl"), ("1.0.0", "1.0.0"), (".0", ".0"),
        ("-", "-"),
    ])
    func `a whole number with a point or an exponent is one, and what may be rounded is none`(
        text: String, number: String
    ) {
        #expect(BatchFile.Field(text: text, place: .init(line: 1, column: 1)).plainNumber == number)
    }

    @Test func `every value knows its line and its character`() throws {
        let table = try entries("class,seed,steps\n\n\"räuber\" ,  5,7\n")[0]
        #expect(table.place == BatchFile.Place(line: 3, column: 1))
        #expect(table.fields["seed"]?.place == BatchFile.Place(line: 3, column: 13))
        #expect(table.fields["steps"]?.place == BatchFile.Place(line: 3, column: 15))
        let array = try entries("[{\"seed\": 1},\n {\"class\": \"é\",\n  \"seed\": 2}]")[1]
        #expect(array.place == BatchFile.Place(line: 2, column: 2))
        #expect(array.fields["class"]?.place == BatchFile.Place(line: 2, column: 12))
        #expect(array.fields["seed"]?.place == BatchFile.Place(line: 3, column: 11))
    }

    @Test(arguments: [
        ("class,seed\nowl,1,2\n", "list:2:7: 3 fields under 2 names"),
        ("class,seed\nowl\n", "list:2:4: 1 field under 2"),
        ("class,seed\n\"owl,1\n", "list:2:1: a quote is not closed"),
        ("class,seed\n\"a\"b,1\n", "list:2:4: text after"),
        ("seed,seed\n1,2\n", "list:1:6: column seed is given twice"),
        ("seed,,steps\n1,,2\n", "list:1:6: column 2 has no name"),
        ("cfg_scale,cfg-scale\n1,2\n", "list:1:11: column cfg-scale is given twice"),
        ("class,Class\n1,2\n", "list:1:7: "),
        ("class,sede\n1,2\n", "list:1:7: unknown column 'sede'; did you mean 'seed'?"),
        ("class,colour\n1,2\n", "list:1:7: unknown column 'colour'; there are class, seed, cfg-scale, "),
        ("class;seed,steps\n1;2,3\n", "list:1:1: unknown column 'class;seed'"),
        ("class|seed\n1|2\n", "list:1:1: unknown column"),
        ("1,2\n3,4\n", "list:1:1: unknown column '1'"),
        ("class;seed\n1,2\n", "list:2:4: 1 field under 2 names; separate fields by semi"),
        ("class,seed\n1,2\n,\n", "list:3:1: a line of empty fields"),
        ("seed,class\n5,a\u{1B}[31m\n", "list:2:3: class has the control character U+001B"),
        ("seed,class\n5,a\u{0}\n", "list:2:3: class has the control character U+0000"),
        ("class,seed\n", "list:1:1: names of columns only"), ("", "list: no image"), ("\n \n", "list: no image"),
    ])
    func `a table that makes no sense is refused with line and column`(text: String, message: String) {
        #expect(refusal(of: text).hasPrefix(message), "\(refusal(of: text))")
    }

    @Test(arguments: [
        ("{\"seed\": 1}\n{\"seed\": null}\n", "list:2:10: seed is no number and no text"),
        ("{\"seed\": 1}\nseed,1\n", "list:2:1: not a JSON object"), ("{\"seed\": [2]}", "list:1:10: seed is no number"),
        ("{\"class\": 1, \"class\": 2}", "list:1:14: class is given twice"),
        ("{\"cfg_scale\": 1, \"cfg-scale\": 2}", "list:1:18: "),
        ("{\"seed\": 1, \"Seed\": 2}", "list:1:13: seed is given twice"),
        ("[{\"seed\": 1},\n{\"seed\": 2, \"seed\": 2}]", "list:2:13: "),
        ("{\"sede\": 1}", "list:1:2: unknown name 'sede'; did you mean 'seed'?"),
        ("{\"seed\": 1} {\"seed\": 2}", "list:1:13: text after an image"),
        ("{\"seed\": 1},\n{\"seed\": 2}", "list:1:12: "), ("[{\"seed\": 1}\n{\"seed\": 2}]", "list:2:1: not JSON: "),
        ("[{\"seed\": 1}, 7]", "list:1:15: not a JSON object"), ("[{\"seed\": 1}]\n7", "list:2:1: text after the end"),
        ("[]", "list: no image"),
        ("[{\"seed\": 1},]", "list:1:14: not a JSON object"), ("{\"seed\": 1,}", "list:1:12: not JSON"),
        ("{\"seed\": 01}", "list:1:11: not JSON"),
        ("{\"seed\": \"\"}", "list:1:10: seed is an empty text"), ("{\"seed\": true}", "list:1:10: "),
        ("{\"seed\": NaN}", "list:1:10: not JSON"),
        ("{\"class\": \"a\\u0000\"}", "list:1:11: class has the control character U+0000"),
        ("{\"seed\": 1", "list:1:11: not JSON"),
    ])
    func `JSON that makes no sense is refused with line and column`(text: String, message: String) {
        #expect(refusal(of: text).hasPrefix(message), "\(refusal(of: text))")
    }

    @Test(
        arguments: [
            ([0xFF, 0xFE, 0x73, 0x00], "list:1:1: UTF-16"), ([0xFE, 0xFF, 0x00, 0x73], "list:1:1: UTF-16"),
            ([0x73, 0x00, 0x65, 0x00], "list:1:1: UTF-16"),
            (Array("seed\n5\n".utf8) + [0x31, 0xC3, 0x28], "list:3:2: not UTF-8"),
            (Array("seed,class\né,".utf8) + [0xFF], "list:2:3: not UTF-8"),
            ([0xEF, 0xBB, 0xBF, 0x80], "list:1:1: not UTF-8"),
        ] as [([UInt8], String)])
    func `bytes that are no UTF-8 text are refused with their place`(bytes: [UInt8], message: String) {
        #expect(refusal(of: bytes).hasPrefix(message), "\(refusal(of: bytes))")
    }

    @Test func `a long list takes a time that grows with its length`() throws {
        let (seeds, clock) = (0..<100_000, ContinuousClock())
        for text in [
            "[" + seeds.map { "{\"seed\": \($0)}" }.joined(separator: ",") + "]",
            seeds.map { "{\"seed\": \($0)}\n" }.joined(), "seed\n" + seeds.map { "\($0)\n" }.joined(),
        ] {
            let start = clock.now
            #expect(try entries(text).count == seeds.count)
            #expect(clock.now - start < .seconds(30))
        }
    }

    @Test func `more images than one run makes are refused`() {
        let line = "1\n"
        let text = "seed\n" + String(repeating: line, count: WorkList.mostImages + 1)
        #expect(refusal(of: text).contains("\(WorkList.mostImages)"))
    }

    @Test func `a file that is missing, a directory, and bytes that are no text are told apart`() throws {
        let folder = try BatchFolder()
        #expect(throws: PipelineError.missingInput("--batch \(folder.path)none: no such file")) {
            try BatchFile(path: folder.path + "none", names: Self.names)
        }
        #expect {
            try BatchFile(path: folder.path, names: Self.names)
        } throws: { error in
            guard case PipelineError.inputOutput = error else { return false }
            return true
        }
        try Data([0xFF, 0xFE, 0x41]).write(to: URL(filePath: folder.path + "list"))
        #expect {
            try BatchFile(path: folder.path + "list", names: Self.names)
        } throws: { error in
            guard case PipelineError.badData = error else { return false }
            return true
        }
    }
}
