import Compute
import Testing

@testable import Models

@Suite struct WeightsPrecisionTests {
    private static let models = [WeightsModelDirectory.official(), .diffusers()]

    @Test(arguments: models.indices) func `weights of 16 bits are the same numbers at either precision`(index: Int)
        throws
    {
        let model = Self.models[index]
        let wide = try model.loadBFloat16(precision: .float32)
        let stored = try model.loadBFloat16(precision: .stored)
        for (a, b) in zip(wide.blocks, stored.blocks) {
            for (a, b) in [(a.modulation, b.modulation), (a.qkv, b.qkv), (a.fc1, b.fc1), (a.fc2, b.fc2)] {
                #expect(a.weight.element == .float32 && b.weight.element == .bfloat16)
                #expect(a.weight.elements == b.weight.elements)
                #expect(a.bias.elements == b.bias.elements)
            }
        }
        #expect(wide.finalProjection.weight.elements == stored.finalProjection.weight.elements)
    }

    @Test func `weights of 32 bits stay at 32 bits`() throws {
        let weights = try WeightsModelDirectory.official().load()
        #expect(weights.blocks.allSatisfy { $0.qkv.weight.element == .float32 })
    }

    @Test(arguments: [WeightPrecision.float32, .stored])
    func `a number that is not finite is found at either precision`(precision: WeightPrecision) throws {
        let model = WeightsModelDirectory.official()
        let name = "blocks.0.mlp.fc2.weight"
        let tensor = try #require(model.tensors[name])
        tensor.values[17] = .infinity
        let error = try #require(throws: SafetensorsError.self) { try model.loadBFloat16(precision: precision) }
        guard case .notFinite(_, name, 17) = error else {
            Issue.record("\(error)")
            return
        }
    }
}
