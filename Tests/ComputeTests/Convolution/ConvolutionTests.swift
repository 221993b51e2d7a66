import TestSupport
import Testing

@testable import Compute

/// The bound on the largest difference is 5e-6 of the largest value.
///
/// Sums of so many products in single precision are within 5e-7; the transforms of F(4x4, 3x3) multiply that by five.
@Suite struct ConvolutionTests {
    private static let bound = 5e-6

    @Test(arguments: [
        [1, 1, 1, 1], [1, 2, 3, 5], [2, 3, 4, 16], [3, 1, 16, 3], [5, 7, 17, 33], [4, 4, 32, 16], [7, 5, 20, 1],
        [8, 12, 16, 48], [9, 13, 5, 20], [33, 6, 8, 8],
    ])
    func `every size follows the textbook formula`(shape: [Int]) {
        let reference = ReferenceConvolution(height: shape[0], width: shape[1], inputs: shape[2], outputs: shape[3])
        let error = largestRelativeDifference(reference.run().planes().elements, against: reference.result)
        #expect(figure("convolution \(shape), largest difference", error, below: Self.bound))
    }

    @Test func `a map of several bands follows the textbook formula`() {
        let plan = ConvolutionPlan(height: 74, width: 53, inputs: 512, outputs: 16)
        #expect(plan.bands > 1 && plan.rows % plan.rowsPerBand != 0)
        let reference = ReferenceConvolution(height: 74, width: 53, inputs: 512, outputs: 1)
        let error = largestRelativeDifference(reference.run().planes().elements, against: reference.result)
        #expect(figure("convolution in \(plan.bands) bands", error, below: Self.bound))
    }

    @Test func `the number of threads changes no bit`() {
        let reference = ReferenceConvolution(height: 70, width: 61, inputs: 260, outputs: 270)
        let one = reference.run(threads: 1).values.elements
        let same = [2, 3, 7].allSatisfy { reference.run(threads: $0).values.elements == one }
        #expect(same)
    }

    @Test(arguments: [[1, 1], [3, 5], [4, 6], [7, 2]])
    func `upsampling on the way in is upsampling before, bit by bit`(sides: [Int]) {
        let (height, width) = (sides[0], sides[1])
        let reference = ReferenceConvolution(height: height, width: width, inputs: 6, outputs: 5)
        let large = Tensor([6, 2 * height, 2 * width])
        for channel in 0..<6 {
            for y in 0..<2 * height {
                for x in 0..<2 * width {
                    large.values[(channel * 2 * height + y) * 2 * width + x] =
                        reference.input.values[(channel * height + y / 2) * width + x / 2]
                }
            }
        }
        let before = reference.run(on: FeatureMap(planes: large)).values.elements
        let same = reference.run(upsampled: true).values.elements == before
        #expect(same)
    }

    @Test func `a norm on the way in is the norm before, and leaves the border zero`() {
        let reference = ReferenceConvolution(height: 6, width: 9, inputs: 8, outputs: 4)
        let norm = GroupNorm(
            groups: 2, epsilon: 1e-6, scale: Tensor(noise(8, seed: 8), shape: [8]),
            shift: Tensor(noise(8, seed: 9), shape: [8]))
        let map = FeatureMap(planes: reference.input)
        let affine = norm.affine(for: map, silu: true, workers: Workers(count: 1))
        let normed = FeatureMap(planes: reference.input)
        affine(map, into: normed, workers: Workers(count: 2))
        let same = reference.run(affine: affine).values.elements == reference.run(on: normed).values.elements
        #expect(same)
        let changed = reference.run().values.elements != reference.run(on: normed).values.elements
        #expect(changed)
    }

    @Test func `sums are added to what is there, and then rectified`() {
        let reference = ReferenceConvolution(height: 5, width: 6, inputs: 4, outputs: 3)
        let previous = Tensor(noise(90, seed: 6, scale: 20), shape: [3, 5, 6])
        let sums = reference.run().planes().elements
        let added = zip(sums, previous.elements).map { $0 + $1 }
        let rectified = added.map { max(0, $0) }
        #expect(reference.run(onto: previous, .init(isAdded: true)).planes().elements == added)
        #expect(
            reference.run(onto: previous, .init(isAdded: true, isRectified: true)).planes().elements == rectified)
        #expect(reference.run(onto: previous, .init(isRectified: true)).planes().elements == sums.map { max(0, $0) })
        #expect(reference.run(onto: previous).planes().elements == sums)
    }

    @Test func `what pads the channels stays zero`() {
        let output = ReferenceConvolution(height: 5, width: 5, inputs: 3, outputs: 5).run()
        let rests = (0..<25).flatMap { pixel in output.values.elements[pixel * 16 + 5..<pixel * 16 + 16] }
        #expect(output.stride == 16)
        #expect(rests.allSatisfy { $0 == 0 })
    }

    @Test func `a workspace that has served a larger map serves a smaller one`() {
        let workspace = ConvolutionWorkspace()
        var results: [[Float]] = []
        for side in [5, 20, 5] {
            let reference = ReferenceConvolution(height: side, width: side, inputs: 4, outputs: 4)
            let output = FeatureMap(planes: Tensor([4, side, side]))
            reference.convolution(
                FeatureMap(planes: reference.input), into: output, workspace: workspace, workers: Workers(count: 2))
            results.append(output.values.elements)
        }
        #expect(results[0] == results[2])
    }

    @Test(arguments: [[1, 1, 1, 1], [3, 5, 4, 7], [20, 15, 17, 33]])
    func `a convolution of one tap is a matrix product at every pixel`(shape: [Int]) {
        let (height, width, inputs, outputs) = (shape[0], shape[1], shape[2], shape[3])
        let reference = ReferenceConvolution(height: height, width: width, inputs: inputs, outputs: outputs)
        let weight = Tensor(noise(outputs * inputs, seed: 4), shape: [outputs, inputs])
        let layer = withExtendedLifetime(weight) {
            PointwiseConvolution(weight: weight.pointer, outputs: outputs, inputs: inputs, bias: reference.bias)
        }
        let output = FeatureMap(planes: Tensor([outputs, height, width]))
        for round in 1...2 {
            layer(
                FeatureMap(planes: reference.input), into: output, isAdded: round == 2, workers: Workers(count: 2))
            let pixels = height * width
            let expected = (0..<outputs * pixels).map { index in
                (0..<inputs).reduce(Double(reference.bias.values[index / pixels])) {
                    $0 + Double(weight.values[index / pixels * inputs + $1])
                        * Double(reference.input.values[$1 * pixels + index % pixels])
                } * Double(round)
            }
            let error = normalisedMeanSquaredError(output.planes().elements, against: expected)
            #expect(figure("one tap \(shape), round \(round)", error, below: 1e-12))
        }
    }
}
