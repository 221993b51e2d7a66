import Caching
import Sampling
import Testing

@testable import Evaluation
@testable import Pipeline

/// Which strategies, budgets and images are compared.
@Suite struct ComparisonRequestTests {
    private func request(
        _ list: String, sampler: SamplerKind = .ddim, seed: UInt32 = 1
    ) throws -> [String] {
        try ComparisonRequest(
            settings: SampleSettings(steps: 10, sampler: SamplerOptions(sampler), guidanceScale: 1),
            items: [SampleItem(classID: 0, seed: seed)], strategies: StrategyCatalogue.strategies(list),
            budgets: [Budget(0.5)]
        ).strategies.map(\.name)
    }

    @Test func `strategies come in the order of the list, each once, a sceptic's last`() throws {
        #expect(try request("goc,fora,goc") == ["goc", "fora", "fewer-steps", "fewer-steps:dpm++2m"])
        #expect(try request("fewer-steps,goc") == ["fewer-steps", "goc", "fewer-steps:dpm++2m"])
        #expect(try request("goc", sampler: .dpmSolver) == ["goc", "fewer-steps"])
    }

    @Test func `a group stands for its strategies`() throws {
        let (own, peers) = (StrategyCatalogue.own.map(\.name), StrategyCatalogue.peers.map(\.name))
        #expect(try request("peers").prefix(peers.count) == peers[...])
        #expect(try request("all") == own + peers + StrategyCatalogue.sceptics.map(\.name))
        #expect(own.first == "default" && own.last == "curvature+omnicache")
        let led = try request("hicache,all")
        #expect(led.first == "hicache" && led.count == own.count + peers.count + 2)
    }

    @Test(arguments: ["path+steering", "uniform+taylor:2:epsilon", "curvature+omnicache", "late+hold"])
    func `a planner and a forecaster are a strategy by that name`(name: String) throws {
        #expect(try #require(StrategyCatalogue.named(name)).name == name)
    }

    @Test(arguments: ["", "fora,", "path", "path+", "+hold", "best+hold", "path+best", "fewer-steps:best", "Fora"])
    func `a strategy that does not exist is refused, and those that exist are named`(list: String) throws {
        let error = #expect(throws: PipelineError.self) { try StrategyCatalogue.strategies(list) }
        guard case .usage(let text) = error else { throw try #require(error) }
        for name in ["fora", "dicache", "fewer-steps:SAMPLER", "dpm++2m", "path+steering", "peers"] {
            #expect(text.contains(name))
        }
    }

    @Test func `images that calibrations are made of are not compared`() throws {
        #expect(try request("fora", seed: UInt32.max - 1000).count == 3)
        #expect(throws: PipelineError.self) { try request("fora", seed: UInt32.max - 999) }
        let last = try #require(Calibrator.items(Calibrator.mostSamples, told: .classes(3)).last)
        #expect(last.seed == UInt32.max - 999)
    }

    @Test func `classes are spread evenly`() throws {
        func classes(_ count: Int, of total: Int) throws -> [Int] {
            try WorkList.spread(seed: 7, count: count, of: .classes(total)).items.compactMap(\.classID)
        }
        #expect(try classes(4, of: 100) == [0, 25, 50, 75])
        #expect(try classes(3, of: 3) == [0, 1, 2])
        #expect(try classes(5, of: 2) == [0, 1, 0, 1, 0])
        #expect(try WorkList.spread(seed: 7, count: 3, of: .classes(9)).items.map(\.seed) == [7, 8, 9])
        #expect(throws: PipelineError.self) { try classes(0, of: 2) }
    }
}
