import TestSupport
import Testing

@testable import Compute
@testable import Models

@Suite struct EntryRowsTests {
    private static func filled(_ precision: Precision) -> EntryRows {
        let matrices = EntryRows(entries: 3, tokens: 4, columns: 32, precision: precision)
        let numbers = noise(3 * 4 * 32, seed: 3)
        for (index, number) in numbers.enumerated() { matrices.row(0, of: 0)[index] = number }
        return matrices
    }

    @Test(arguments: [Precision.bfloat16, .int8])
    func `rows are read as they were written last`(precision: Precision) {
        let matrices = Self.filled(precision)
        #expect(matrices.current(from: 0, in: precision) == nil)
        matrices.begin(precision)
        #expect(matrices.current(from: 1, in: precision)?.precision == precision)
        #expect(matrices.latest(from: 1).precision == precision)
        #expect(matrices.current(from: 1, in: precision == .int8 ? .bfloat16 : .int8) == nil)
        matrices.begin(.float32)
        #expect(matrices.current(from: 1, in: precision) == nil)
        #expect(matrices.latest(from: 1).precision == .float32)
    }

    @Test func `there is no less precise form without room for it`() {
        let matrices = Self.filled(.float32)
        for precision in Precision.allCases {
            matrices.begin(precision)
            #expect(matrices.current(from: 0, in: precision) == nil)
            #expect(matrices.latest(from: 0).precision == .float32)
        }
    }

    @Test func `rows are encoded at their own place`() throws {
        let matrices = Self.filled(.bfloat16)
        matrices.begin(.bfloat16)
        matrices.encode(0..<4, of: 0)
        matrices.encode(2..<8, of: 1)
        let expected = EntryRows(entries: 3, tokens: 4, columns: 32, precision: .bfloat16)
        expected.begin(.bfloat16)
        let found = try #require(matrices.current(from: 0, in: .bfloat16))
        let other = try #require(expected.current(from: 0, in: .bfloat16))
        for row in 0..<12 where !(4..<6).contains(row) {
            other.advanced(byRows: row).encode(matrices.row(row, of: 0), rows: 1)
        }
        #expect(found.bytes(rows: 12) == other.bytes(rows: 12))
    }
}

extension MatrixRows {
    /// The numbers of the first `rows` rows as they are in memory.
    fileprivate func bytes(rows: Int) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: numbers, count: rows * width * precision.size))
    }
}
