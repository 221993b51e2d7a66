import Compute
import Testing

@Suite struct TensorTests {
    @Test(arguments: [[0], [1], [3, 5], [2, 3, 4]])
    func `a new tensor holds zeros, one per element`(shape: [Int]) {
        let tensor = Tensor(shape)
        #expect(tensor.count == shape.reduce(1, *))
        #expect(tensor.values.allSatisfy { $0 == 0 })
        #expect(UInt(bitPattern: tensor.pointer) % 64 == 0)
    }

    @Test func `elements keep their order`() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(Array(tensor.values) == [1, 2, 3, 4, 5, 6])
        let copy = Tensor([2, 3])
        copy.copy(from: tensor)
        #expect(Array(copy.values) == Array(tensor.values))
    }
}
