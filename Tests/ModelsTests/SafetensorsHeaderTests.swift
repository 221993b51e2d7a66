import Testing

@testable import Models

@Suite struct SafetensorsHeaderTests {
    @Test func `a header lists its tensors in the order of their bytes, and its texts`() throws {
        let bytes = safetensors(
            #"{"b":{"dtype":"F16","shape":[3],"data_offsets":[4,10]},"__metadata__":{"format":"pt"},"#
                + #""a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
                + #""none":{"dtype":"I64","shape":[2,0],"data_offsets":[4,4]}}   "#,
            data: [UInt8](repeating: 0, count: 10))
        let header = try header(of: bytes)
        #expect(header.entries.map(\.name) == ["a", "none", "b"])
        #expect(header.entries.map(\.elementType) == [.f32, .i64, .f16])
        #expect(header.entries.map(\.shape) == [[], [2, 0], [3]])
        #expect(header.entries.map(\.range) == [0..<4, 4..<4, 4..<10])
        #expect(header.entries.map(\.count) == [1, 0, 3])
        #expect(header.metadata == ["format": "pt"])
        #expect(header.dataStart == bytes.count - 10)
    }

    /// Each pair: a header over ten bytes of data, and what the error must say.
    static let faults: [(header: String, says: String)] = [
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}"#, "takes 8 bytes, but its data_offsets span 12"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "beyond the file's 10 bytes"),
        (#"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#, "2 bytes after the last tensor"),
        (
            #"{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[5],"data_offsets":[5,10]}}"#,
            #"tensor "b": it overlaps "a""#
        ),
        (
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[5,10]}}"#,
            #"1 bytes between "a" and it belong to no tensor"#
        ),
        (#"{"a":{"dtype":"U8","shape":[9],"data_offsets":[1,10]}}"#, "1 bytes between the header and it"),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[10,9]}}"#, "in rising order"),
        (#"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10,10]}}"#, "data_offsets are not two"),
        (#"{"a":{"dtype":"U8","shape":[10],"data_offsets":[-1,9]}}"#, "data_offsets are not two"),
        (#"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,18446744073709551626]}}"#, "data_offsets are not two"),
        (#"{"a":{"dtype":"U8","shape":[-10],"data_offsets":[0,10]}}"#, "its shape is not a list"),
        (#"{"a":{"dtype":"U8","shape":[2.5,4],"data_offsets":[0,10]}}"#, "its shape is not a list"),
        (#"{"a":{"dtype":"U8","shape":[1e1],"data_offsets":[0,10]}}"#, "its shape is not a list"),
        (#"{"a":{"dtype":"U8","shape":"10","data_offsets":[0,10]}}"#, "its shape is not a list"),
        (
            #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,10]}}"#,
            "more elements than can be addressed"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}}"#,
            "more elements than can be addressed"
        ),
        (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,10]}}"#, "more elements than can be addressed"),
        (#"{"a":{"dtype":7,"shape":[10],"data_offsets":[0,10]}}"#, "its dtype is missing"),
        (#"{"a":{"shape":[10],"data_offsets":[0,10]}}"#, "its dtype is missing"),
        (#"{"a":[]}"#, "its entry is not an object"),
        (#"{"a":null}"#, "its entry is not an object"),
        (#"{"a":["U8",[10],[0,10],1]}"#, "its entry is not an object"),
        (#"{"a":{"dtype":"U8","dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#, "occurs twice"),
        (#"{"a":{"dtype":"U8","shape":null,"data_offsets":[0,10]}}"#, "its shape is not a list"),
        (#"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},"\u0061":{}}"#, #"the key "a" occurs twice"#),
        (#"{"__metadata__":{},"__metadata__":{}}"#, #"the key "__metadata__" occurs twice"#),
        (
            #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},"z":{"dtype":"F32","shape":[0],"data_offsets":[5,5]}}"#,
            #"tensor "z": it overlaps "a""#
        ),
        (
            #"{"a":{"dtype":"NEW","shape":[9],"data_offsets":[0,9]}}"#, "1 bytes after the last tensor"
        ),
        (
            #"{"a":{"dtype":"NEW","shape":[4294967296,4294967296],"data_offsets":[0,10]}}"#,
            "more elements than can be addressed"
        ),
        (#"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"# + "\0", "text after the end"),
        ("\u{FEFF}" + #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#, "a value expected"),
        (#"{"__metadata__":{"x":null}}"#, "something else than texts at x"),
        (#"{"__metadata__":"pt"}"#, "__metadata__ is not an object"),
        (
            #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#,
            #"the key "a" occurs twice"#
        ),
        (#"{"__metadata__":{"steps":7}}"#, "something else than texts at steps"),
        (#"{"__metadata__":[]}"#, "__metadata__ is not an object"),
        (#"[]"#, "the header is not a JSON object"),
        (#"{"a":"#, "the text ends too early at byte 5"),
        ("", "the text ends too early at byte 0"),
    ]

    @Test(arguments: faults)
    func `a header that breaks the format is refused and its fault named`(header text: String, says: String) throws {
        let bytes = safetensors(text, data: [UInt8](repeating: 0, count: 10))
        let error = try #require(throws: SafetensorsError.self) { try header(of: bytes) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.description.hasPrefix("file: "))
        #expect(!error.description.contains("\n"))
        #expect(error.kind == .badData)
    }

    /// Headers over ten bytes of data that the reference implementation (version 0.8.0) reads as well.
    static let accepted: [String] = [
        #"{"__metadata__":null,"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#,
        #"{"__metadata__":{},"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#,
        #"{"__metadata__":{"x":"1","x":"2"},"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#,
        "  \n\t\r" + #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"# + "  \n",
        #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10],"by":{"x":1,"x":[null,1.5e3,true]},"by":""}}"#,
        #"{"a":{"data_offsets":[0,10],"shape":[10],"dtype":"U\u0038"}}"#,
        #"{"a":["U8",[10],[0,10]]}"#,
        #"{"":{"dtype":"I8","shape":[2,5],"data_offsets":[0,10]}}"#,
        #"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]},"b":{"dtype":"C64","shape":[],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F4","shape":[20],"data_offsets":[0,10]}}"#,
        #"{"a":{"dtype":"F8_E4M3FNUZ","shape":[10],"data_offsets":[0,10]}}"#,
        #"{"a":{"dtype":"F8_E5M2FNUZ","shape":[10],"data_offsets":[0,10]}}"#,
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[2],"data_offsets":[2,10]}}"#,
        #"{"z":{"dtype":"F64","shape":[0,3],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]}}"#,
        #"{"z":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]},"a":["U8",[10],[0,10]]}"#,
        #"{"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10],"x":"#
            + String(repeating: "[", count: 120) + String(repeating: "]", count: 120) + "}}",
    ]

    @Test(arguments: accepted)
    func `a header that the reference implementation reads is read`(text: String) throws {
        let header = try header(of: safetensors(text, data: [UInt8](repeating: 0, count: 10)))
        #expect(header.entries.reduce(0) { $0 + $1.range.count } == 10)
    }

    @Test func `a tensor of a type that is not known is listed, as nothing need read it`() throws {
        let header = try header(
            of: safetensors(
                #"{"a":{"dtype":"U4","shape":[20],"data_offsets":[0,10]}}"#, data: [UInt8](repeating: 0, count: 10)))
        #expect(header.entries.map(\.dtype) == ["U4"])
        #expect(header.entries.map(\.elementType) == [nil])
    }

    @Test(arguments: 0..<8)
    func `a file without room for the header length is refused`(size: Int) throws {
        let error = try #require(throws: SafetensorsError.self) {
            try header(of: [UInt8](repeating: 0, count: size))
        }
        #expect(error == .malformed(path: "file", reason: "it has \(size) bytes, too few for a header length"))
    }

    @Test(arguments: [3, 100_000_000, 100_000_001, 0x7FFF_FFFF_FFFF_FFFF, UInt64.max])
    func `a header length beyond the file or the bound is refused`(length: UInt64) throws {
        let error = try #require(throws: SafetensorsError.self) {
            try header(of: safetensors("{}", declaredLength: length))
        }
        let bounded = length <= 100_000_000
        #expect(error.description.contains(bounded ? "goes beyond the file" : "is above 100000000"), "\(error)")
    }

    @Test func `a name that is not UTF-8 is refused`() throws {
        let text = Array(#"{"a"#.utf8) + [0xFF] + Array(#"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#.utf8)
        let bytes = littleEndian([UInt64(text.count)]) + text
        let error = try #require(throws: SafetensorsError.self) { try header(of: bytes) }
        #expect(error.description.contains("not UTF-8"))
    }

    @Test(arguments: [
        (Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), "git lfs pull"),
        ([0x50, 0x4B, 0x03, 0x04] + [UInt8](repeating: 0, count: 30), "Scripts/convert.py"),
        ([0x80, 0x02] + [UInt8](repeating: 0x8A, count: 30), "Scripts/convert.py"),
        (Array("<!doctype html><html></html>".utf8), "web page"),
        (Array(#"{"metadata": {}, "weight_map": {}}"#.utf8), "JSON"),
    ])
    func `a file of another format is recognised`(bytes: [UInt8], says: String) throws {
        let error = try #require(throws: SafetensorsError.self) { try header(of: bytes) }
        guard case .anotherFormat = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains(says))
    }

    @Test func `a header length that looks like another format's signature is still a header length`() throws {
        let text = "{}" + String(repeating: " ", count: 0x0280 - 2)
        #expect(try header(of: safetensors(text)).entries.isEmpty)
    }
}
