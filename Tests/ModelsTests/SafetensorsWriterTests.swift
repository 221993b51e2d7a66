import Compute
import Testing

@testable import Models

@Suite struct SafetensorsWriterTests {
    @Test func `what is written reads back the same`() throws {
        let directory = try TemporaryDirectory()
        let tensors: [(name: String, tensor: Tensor)] = [
            ("z \"quoted\"\\\n\u{1}", Tensor([1, -0.0, .leastNonzeroMagnitude, 3], shape: [2, 2])),
            ("é😀", Tensor([5], shape: [])), ("nothing", Tensor([0, 3])),
            ("a", Tensor([.greatestFiniteMagnitude], shape: [1, 1, 1])),
        ]
        let metadata = ["step": "7", "note\t": "tab\u{1F}"]
        let path = try directory.write(SafetensorsWriter.bytes(tensors, metadata: metadata), to: "x.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == metadata)
        #expect(Set(file.entries.map(\.name)) == Set(tensors.map(\.name)))
        for (name, tensor) in tensors {
            let copy = try file.tensor(name, shape: tensor.shape)
            #expect(copy.elements.map(\.bitPattern) == tensor.elements.map(\.bitPattern))
        }
    }

    @Test func `the bytes follow the format to the letter`() {
        // from safetensors.numpy import save; print(save({"w": numpy.float32([1, 2])}, {"a": "b"}))
        let header = #"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        let expected = safetensors(header + " ", data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
        let bytes = SafetensorsWriter.bytes([("w", Tensor([1, 2], shape: [2]))], metadata: ["a": "b"])
        #expect(bytes == expected)
    }

    @Test(arguments: 1...16)
    func `the data begins at a multiple of 8 bytes`(nameLength: Int) throws {
        let name = String(repeating: "n", count: nameLength)
        let bytes = SafetensorsWriter.bytes([(name, Tensor([1], shape: [1]))])
        #expect(try header(of: bytes).dataStart.isMultiple(of: 8))
    }
}
