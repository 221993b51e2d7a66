import Caching
import Compute
import Models
import PipelineSupport
import Testing

@testable import Evaluation

@Suite struct EvaluationPriceTests {
    @Test(arguments: GoldenCase.all)
    func `the parts cost what the weights' matrices and the attention's products do`(golden: GoldenCase) throws {
        let network = try golden.network()
        let (config, weights) = (network.config, network.weights)
        let price = EvaluationPrice(network, branches: 2)
        func products(_ layers: Linear...) -> Int { layers.reduce(0) { $0 + config.tokens * $1.weight.count } }
        // Scores and mixture of each head: every query meets every key, then every value, over the head's width.
        let meetings = 2 * config.heads * config.tokens * config.tokens * config.headDimension
        let block = try #require(weights.blocks.first)
        let (attention, mlp) = (products(block.qkv, block.proj) + meetings, products(block.fc1, block.fc2))
        #expect(network.layers.count == 2 * config.depth && network.blockCount == config.depth)
        #expect(network.layers.filter { $0.layer?.kind == .attention }.allSatisfy { $0.multiplyAdds == attention })
        #expect(network.layers.filter { $0.layer?.kind == .mlp }.allSatisfy { $0.multiplyAdds == mlp })
        #expect(price.layers(of: .mlp) == config.depth * mlp)
        #expect(price.shared == products(weights.patchEmbedding))
        #expect(price.perBranch == products(weights.finalProjection))
        #expect(network.stack.multiplyAdds == weights.blocks.count * (attention + mlp))
        #expect(price.fullCall == price.shared + 2 * (network.stack.multiplyAdds + price.perBranch))
        #expect(price.call(blocks: 1) == price.shared + 2 * (attention + mlp + price.perBranch))
        #expect(price.evaluations(price.fullCall) == 2)
    }

    @Test(arguments: [1, 2], [0, 1, 2])
    func `as many calls are full as fit, and no fewer`(branches: Int, blocks: Int) throws {
        let price = EvaluationPrice(try GoldenCase(name: "official-sample").network(), branches: branches)
        let reused = price.call(blocks: blocks)
        let calls = 17
        for evaluations in 0...calls * branches {
            let full = price.fullCalls(of: calls, within: evaluations, reused: reused)
            func work(_ full: Int) -> Int { full * price.fullCall + (calls - full) * reused }
            if full >= 0 {
                #expect(price.allows(work(full), within: evaluations))
                #expect(price.smallest(full: full, of: calls, reused: reused) <= evaluations)
            }
            if full < calls { #expect(!price.allows(work(full + 1), within: evaluations)) }
        }
        #expect(price.fullCalls(of: calls, within: calls * branches, reused: reused) == calls)
    }
}
