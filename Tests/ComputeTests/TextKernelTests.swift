import Compute
import Glibc
import TestSupport
import Testing

/// The kernels that networks with text need, against the textbook formulas in Double.
@Suite struct TextKernelTests {
    @Test(arguments: [1, 3], [1, 6, 16, 52, 193, 1248])
    func `the RMS norm divides a row by its root mean square, and scales it`(rows: Int, width: Int) {
        let distance = width + 5
        let x = noise(rows * distance, seed: 1, scale: 3, offset: 2)
        let scale = Tensor(noise(width, seed: 2), shape: [width])
        let output = Tensor(x, shape: [rows, distance])
        RMSNorm.apply(
            output.pointer, rows: rows, width: width, distance: distance, epsilon: 1e-6,
            scale: scale.pointer, into: output.pointer)
        var reference: [Double] = []
        for row in 0..<rows {
            let values = x[row * distance..<(row + 1) * distance].map(Double.init)
            let square = values.prefix(width).reduce(0) { $0 + $1 * $1 } / Double(width)
            let factor = 1 / (square + 1e-6).squareRoot()
            reference += (0..<width).map { values[$0] * factor * Double(scale.values[$0]) } + values.suffix(5)
        }
        let error = normalisedMeanSquaredError(output.elements, against: reference)
        #expect(figure("RMS norm, \(rows) x \(width)", error, below: 1e-12))
    }

    @Test(arguments: [4, 12, 52, 64, 128])
    func `rotary positions turn each pair of features by its angle`(width: Int) {
        let half = width / 2
        let angles = (0..<3).map { token in (0..<half).map { Float(token) * 0.7 / Float($0 + 1) } }
        let table = RotaryTable(angles: angles)
        #expect(table.tokens == 3 && table.headDimension == width)
        let x = noise(width, seed: 5)
        for token in 0..<3 {
            let output = Tensor(x, shape: [width])
            table.rotate(output.pointer, token: token)
            let reference = (0..<width).map { index -> Double in
                let pair = index % half
                let (first, second) = (Double(x[pair]), Double(x[half + pair]))
                let angle = Double(angles[token][pair])
                return index < half
                    ? first * cos(angle) - second * sin(angle) : second * cos(angle) + first * sin(angle)
            }
            let error = normalisedMeanSquaredError(output.elements, against: reference)
            #expect(figure("rotation of \(width) features, token \(token)", error, below: 1e-12))
        }
    }

    @Test(arguments: [1, 16, 37])
    func `a product number by number changes the first operand`(count: Int) {
        let (x, y) = (noise(count, seed: 6), Tensor(noise(count, seed: 7), shape: [count]))
        let output = Tensor(x, shape: [count])
        Elementwise.multiply(by: y.pointer, count: count, output.pointer)
        #expect(output.elements == zip(x, y.elements).map { $0 * $1 })
    }
}
