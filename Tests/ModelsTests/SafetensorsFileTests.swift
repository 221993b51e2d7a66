import Compute
import Testing

@testable import Models

@Suite struct SafetensorsFileTests {
    @Test func `all three types load to the numbers that they hold, at any alignment`() throws {
        let directory = try TemporaryDirectory()
        let numbers: [Float] = [1, -2, 0.5, 65504, -0.25]
        let bytes = safetensors(
            #"{"odd":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
                + #""f32":{"dtype":"F32","shape":[5],"data_offsets":[1,21]},"#
                + #""f16":{"dtype":"F16","shape":[5,1],"data_offsets":[21,31]},"#
                + #""bf16":{"dtype":"BF16","shape":[1,5],"data_offsets":[31,41]}}"#,
            data: [9] + littleEndian(numbers.map(\.bitPattern))
                + littleEndian(numbers.map { Float16($0).bitPattern })
                + littleEndian(numbers.map { UInt16($0.bitPattern >> 16) }))
        let file = try SafetensorsFile(path: directory.write(bytes, to: "a.safetensors"))
        #expect(try file.tensor("f32", shape: [5]).elements == numbers)
        #expect(try file.tensor("f16", shape: [5, 1]).elements == numbers)
        let truncated = numbers.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
        let bfloat = try file.tensor("bf16")
        #expect(bfloat.elements == truncated)
        #expect(bfloat.shape == [1, 5])
    }

    @Test func `what is not asked for rightly is refused by name`() throws {
        let directory = try TemporaryDirectory()
        let bytes = safetensors(
            #"{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
                + #""w":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}}"#, data: [UInt8](repeating: 0, count: 32))
        let path = try directory.write(bytes, to: "a.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.entry("ids")?.shape == [1])
        #expect(throws: SafetensorsError.unsupportedElementType(path: path, tensor: "ids", found: "I64")) {
            try file.tensor("ids")
        }
        #expect(throws: SafetensorsError.wrongShape(path: path, tensor: "w", expected: [3, 2], found: [2, 3])) {
            try file.tensor("w", shape: [3, 2])
        }
        #expect(throws: SafetensorsError.missingTensor(path: path, tensor: "v")) { try file.tensor("v") }
    }

    @Test(arguments: ["F32", "F16", "BF16"], [false, true])
    func `a weight that is not finite is refused, with its tensor and place`(type: String, isNaN: Bool) throws {
        let directory = try TemporaryDirectory()
        let bad: Float = isNaN ? .nan : -.infinity
        let numbers: [Float] = [1, 2, 3, bad, 5]
        let data: [UInt8] =
            switch type {
            case "F32": littleEndian(numbers.map(\.bitPattern))
            case "F16": littleEndian(numbers.map { Float16($0).bitPattern })
            default: littleEndian(numbers.map { UInt16($0.bitPattern >> 16) })
            }
        let header = #"{"w":{"dtype":"\#(type)","shape":[5],"data_offsets":[0,\#(data.count)]}}"#
        let path = try directory.write(safetensors(header, data: data), to: "a.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(throws: SafetensorsError.notFinite(path: path, tensor: "w", index: 3)) { try file.tensor("w") }
    }

    @Test func `every truncation of a sound file is refused`() throws {
        let directory = try TemporaryDirectory()
        let bytes = SafetensorsWriter.bytes([("w", Tensor([1, 2, 3], shape: [3]))])
        for size in 0..<bytes.count {
            let path = try directory.write(bytes.prefix(size), to: "a.safetensors")
            let error = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
            #expect(error.kind == .badData)
        }
    }

    @Test func `a missing file and a directory are told apart from bad data`() throws {
        let directory = try TemporaryDirectory()
        let missing = try #require(throws: SafetensorsError.self) {
            try SafetensorsFile(path: directory.path + "/none.safetensors")
        }
        #expect(missing.kind == .missingInput)
        let unreadable = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: directory.path) }
        #expect(unreadable.kind == .inputOutput)
    }
}
