import Foundation
import Testing

@testable import Pipeline

/// Lists of images: what a line says, and what no line may say.
@Suite struct BatchFileTests {
    private func entries(_ text: String) throws -> [BatchFile.Entry] {
        try BatchFile(text: text, path: "list").entries
    }

    /// The message for a text that is no list.
    private func refusal(of text: String) -> String {
        do throws(PipelineError) {
            _ = try BatchFile(text: text, path: "list")
            return "nothing refused"
        } catch {
            guard case .badData(let message) = error else { return "another kind: \(error)" }
            return message
        }
    }

    @Test func `CSV and JSON lines of the same values are the same fields`() throws {
        let csv = try entries("class,seed,cfg-scale\nowl,5,1.5\n3,6,2\n")
        let json = try entries(
            #"{"class": "owl", "seed": 5, "cfg-scale": 1.5}"# + "\n{\"class\":3,\"seed\":6,\"cfg-scale\":2}")
        #expect(csv.map(\.fields) == json.map(\.fields))
        #expect(
            csv.map(\.fields) == [
                ["class": "owl", "seed": "5", "cfg-scale": "1.5"], ["class": "3", "seed": "6", "cfg-scale": "2"],
            ])
    }

    @Test(arguments: ["\n", "\r\n"], ["", "\u{FEFF}"])
    func `line ends, a byte-order mark and empty lines change nothing but the numbers of lines`(
        end: String, mark: String
    ) throws {
        let plain = try entries("class,seed\nowl,5\nfox,6\n")
        let other = try entries(mark + ["class,seed", "", "owl,5", "  ", "fox,6", ""].joined(separator: end))
        #expect(other.map(\.fields) == plain.map(\.fields))
        #expect(plain.map(\.line) == [2, 3] && other.map(\.line) == [3, 5])
    }

    @Test func `an underscore in a name is a dash`() throws {
        #expect(try entries("seed,cfg_scale\n1,2\n")[0].fields == ["seed": "1", "cfg-scale": "2"])
        #expect(try entries(#"{"seed": 1, "cfg_scale": 2}"#)[0].fields == ["seed": "1", "cfg-scale": "2"])
    }

    @Test func `an empty CSV field is one that is not given`() throws {
        #expect(try entries("class,seed,steps\nowl,,\n,7,\"\"\n").map(\.fields) == [["class": "owl"], ["seed": "7"]])
    }

    @Test(arguments: [
        (#""tench, Tinca tinca",1"#, "tench, Tinca tinca"), (#""say ""owl""",1"#, #"say "owl""#),
        (#"  "owl"  ,1"#, "owl"),
        ("  red fox ,1", "red fox"), (#"a "b" c,1"#, #"a "b" c"#),
    ])
    func `quotes keep commas, and two of them are one`(line: String, name: String) throws {
        #expect(try entries("class,seed\n\(line)\n")[0].fields["class"] == name)
    }

    @Test func `a large whole number keeps all of its digits`() throws {
        #expect(try entries(#"{"seed": 4294967295}"#)[0].fields["seed"] == "4294967295")
    }

    @Test(arguments: [
        ("class,seed\nowl,1,2\n", "list:2: 3 fields under 2 names"), ("class,seed\nowl\n", "list:2: 1 fields"),
        ("class,seed\n\"owl,1\n", "list:2: a quote is not closed"), ("class,seed\n\"a\"b,1\n", "list:2: text after"),
        ("seed,seed\n1,2\n", "list:1: "), ("seed,\n1,2\n", "list:1: "), ("cfg_scale,cfg-scale\n1,2\n", "list:1: "),
        ("{\"seed\": 1}\n{\"seed\": null}\n", "list:2: "), ("{\"seed\": 1}\nseed,1\n", "list:2: "),
        ("{\"a_b\": 1, \"a-b\": 2}\n", "list:1: "), ("", "list: no image"), ("\n \n", "list: no image"),
        ("class,seed\n", "list: names of columns only"),
    ])
    func `what makes no sense is refused with its line`(text: String, message: String) {
        #expect(refusal(of: text).hasPrefix(message), "\(refusal(of: text))")
    }

    @Test func `more images than one run makes are refused`() {
        let line = "1\n"
        let text = "seed\n" + String(repeating: line, count: WorkList.mostImages + 1)
        #expect(refusal(of: text).contains("\(WorkList.mostImages)"))
    }

    @Test func `a file that is missing, a directory, and bytes that are no text are told apart`() throws {
        let folder = try BatchFolder()
        #expect(throws: PipelineError.missingInput("--batch \(folder.path)none: no such file")) {
            try BatchFile(path: folder.path + "none")
        }
        #expect {
            try BatchFile(path: folder.path)
        } throws: { error in
            guard case PipelineError.inputOutput = error else { return false }
            return true
        }
        try Data([0xFF, 0xFE, 0x41]).write(to: URL(filePath: folder.path + "list"))
        #expect {
            try BatchFile(path: folder.path + "list")
        } throws: { error in
            guard case PipelineError.badData = error else { return false }
            return true
        }
    }
}
