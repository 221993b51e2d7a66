import TestSupport
import Testing

@testable import Compute

@Suite struct WeightMatrixTests {
    /// Bytes that a matrix may be read from.
    private final class Bytes {
        let start: UnsafeMutableRawPointer

        init(_ bytes: [UInt8]) {
            start = .allocate(byteCount: bytes.count, alignment: 64)
            start.copyMemory(from: bytes, byteCount: bytes.count)
        }

        deinit { start.deallocate() }
    }

    /// A matrix of numbers that 16 bits hold, at an odd address.
    private func matrix(
        _ shape: [Int], _ element: WeightMatrix.Element, seed: UInt64, isMapped: Bool = false
    ) -> WeightMatrix {
        let bits = noise(shape[0] * shape[1], seed: seed).map { number in
            element == .float16 ? Float16(number).bitPattern : UInt16(number.bitPattern >> 16)
        }
        let owner = Bytes([0] + bits.flatMap { pattern -> [UInt8] in [UInt8(pattern & 0xFF), UInt8(pattern >> 8)] })
        return WeightMatrix(
            shape: shape, element: element, address: owner.start + 1, owner: owner, isMapped: isMapped)
    }

    private func product(_ weight: WeightMatrix, _ role: LayerRole = .block, threads: Int) throws -> [Float] {
        let (outputs, inputs, rows) = (weight.shape[0], weight.shape[1], 33)
        let layer = try Linear(
            weight: weight, bias: Tensor(noise(outputs, seed: 7), shape: [outputs]), role: role,
            engine: OpenBLASEngine())
        let x = noise(rows * inputs, seed: 8)
        let y = Tensor([rows, outputs])
        layer(x, rows: rows, into: y.pointer, activation: .gelu, workers: Workers(count: threads))
        return y.elements
    }

    private static let shapes = [[1, 1], [37, 5], [600, 384], [530, 1000]]

    @Test(arguments: shapes, [WeightMatrix.Element.float16, .bfloat16])
    func `how wide weights are stored changes no bit of a product`(
        shape: [Int], element: WeightMatrix.Element
    ) throws {
        let stored = matrix(shape, element, seed: 1)
        for role in [LayerRole.block, .passing] {
            let widened = try product(WeightMatrix(Tensor(stored.elements, shape: shape)), role, threads: 1)
            for threads in 1...3 {
                let isSame = try product(stored, role, threads: threads) == widened
                #expect(isSame)
            }
        }
    }

    /// The parts are smaller than a page, so that nothing is given back of memory that is no file.
    @Test(arguments: [WeightMatrix.Element.float16, .bfloat16])
    func `a joined copy of mapped parts that is dropped is read from them`(element: WeightMatrix.Element) throws {
        func parts(areMapped: Bool) -> [WeightMatrix] {
            [3, 1, 5].map { matrix([$0, 7], element, seed: UInt64($0), isMapped: areMapped) }
        }
        let mapped = try #require(WeightMatrix(joining: parts(areMapped: true)))
        let copy = try #require(WeightMatrix(joining: parts(areMapped: false)))
        let before = mapped.elements
        #expect(before == parts(areMapped: false).flatMap(\.elements) && copy.elements == before)
        mapped.release()
        copy.release()
        #expect(mapped.elements == before && copy.elements == before)
        let block = Tensor([4 * 2])
        mapped.widen(rows: 2..<6, columns: 3..<5, into: block.pointer)
        let expected: [Float] = (2..<6).flatMap { row in Array(before[row * 7 + 3..<row * 7 + 5]) }
        #expect(block.elements == expected)
        #expect(mapped.isIdentical(to: copy) && copy.isIdentical(to: mapped))
        #expect(mapped.float32 == nil)
    }

    @Test(arguments: shapes) func `weights that pass have the products of others`(shape: [Int]) throws {
        let weight = matrix(shape, .bfloat16, seed: 1)
        let difference = largestRelativeDifference(
            try product(weight, .passing, threads: 2), against: try product(weight, .block, threads: 2))
        #expect(difference < 1e-6)
    }

    @Test func `joined matrices have the rows of all parts in order`() throws {
        let parts = [3, 1, 2].map { matrix([$0, 5], .float16, seed: UInt64($0)) }
        let joined = try #require(WeightMatrix(joining: parts))
        #expect(joined.shape == [6, 5])
        #expect(joined.elements == parts.flatMap { $0.elements })
    }

    @Test func `matrices of several widths or forms are not joined`() {
        #expect(WeightMatrix(joining: []) == nil)
        #expect(WeightMatrix(joining: [matrix([1, 2], .float16, seed: 1), matrix([1, 3], .float16, seed: 1)]) == nil)
        #expect(
            WeightMatrix(joining: [matrix([1, 2], .float16, seed: 1), matrix([1, 2], .bfloat16, seed: 1)]) == nil)
    }

    @Test func `matrices are identical when shape, form and all numbers are`() {
        let first = matrix([3, 4], .bfloat16, seed: 1)
        #expect(first.isIdentical(to: matrix([3, 4], .bfloat16, seed: 1)))
        #expect(!first.isIdentical(to: matrix([4, 3], .bfloat16, seed: 1)))
        #expect(!first.isIdentical(to: matrix([3, 4], .bfloat16, seed: 2)))
        #expect(!first.isIdentical(to: WeightMatrix(Tensor(first.elements, shape: [3, 4]))))
    }
}
