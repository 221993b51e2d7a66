import Compute
import Foundation
import Models
import Testing

@testable import Evaluation
@testable import Pipeline

@Suite struct BenchmarkTests {
    private func benchmark(threads: Int) throws -> Benchmark {
        let models = URL(filePath: #filePath).appending(path: "../../../../Models").standardizedFileURL.path
        let directory = try ModelDirectory(path: "\(models)/emoji-dit-s8")
        return try Benchmark(
            subject: BenchmarkSubject(directory: directory, decoder: .own), workers: Workers(count: threads), repeats: 1
        )
    }

    @Test(arguments: [1, 2]) func `a profile adds up to the whole forward`(threads: Int) throws {
        let profile = try benchmark(threads: threads).profile()
        #expect(abs(profile.parts.reduce(0) { $0 + $1.share } - 1) < 1e-9)
        let seconds = profile.parts.reduce(0) { $0 + $1.seconds }
        #expect(abs(seconds / (profile.seconds * Double(threads)) - 1) < 1e-9)
        let products = try #require(profile.parts.first { $0.name == "matrix products" })
        #expect(products.share > 0.2)
    }

    @Test func `every operation is right, and the forward is timed beside its own products`() throws {
        let benchmark = try benchmark(threads: 2)
        let operations = try benchmark.operations()
        #expect(operations.count > 8)
        #expect(operations.allSatisfy { $0.error <= $0.bound && $0.seconds.median > 0 })
        let forwards = try benchmark.forwards()
        #expect(forwards.map(\.branches) == [2, 1])
        #expect(forwards.allSatisfy { $0.share.quartiles.median > 0 && !$0.splits.isEmpty })
    }

    @Test(arguments: [(16, 77), (77, 16), (33, 33)])
    func `attention is right whatever the number of keys`(rows: Int, keys: Int) throws {
        let network = try BenchmarkSubject(size: "S/8").network
        let operations = ForwardOperations(
            network: network, engine: OpenBLASEngine(), entries: 2, workers: Workers(count: 2))
        let step = ForwardStep("attention", rows: rows, .attention(heads: 3, headDimension: 8, keys: keys))
        let operation = operations.attention(ForwardProduct(name: "attention", steps: [step]), 3, 8, keys)
        operation.run()
        #expect(operation.error() <= operation.bound)
        #expect(operation.operations == 2 * 2 * Double(step.multiplyAdds))
    }

    @Test func `every split of a bare product makes the same numbers`() throws {
        let network = try BenchmarkSubject(size: "S/8").network
        let bare = BareProducts(network: network, entries: 2, workers: Workers(count: 2))
        for product in network.products {
            // The keys that are transposed beforehand are others.
            let splits = bare.splits(of: product).filter { $0 != .direct }
            let results = splits.map { bare.result(of: product, $0).elements }
            for result in results.dropFirst() {
                let pairs = zip(result, results[0]).map { ($0, Double($1)) }
                #expect(BenchmarkOperation.error(pairs) < 1e-5)
            }
        }
    }

    @Test func `what computes something wrong is not timed`() {
        var runs = 0
        let operation = BenchmarkOperation(
            name: "sum", shape: "2", bound: 1e-6, error: { 2e-6 }, run: { runs += 1 })
        #expect(throws: WrongResult(name: "sum 2", error: 2e-6, bound: 1e-6)) { try operation.measure(repeats: 5) }
        #expect(runs == 1)
    }

    @Test func `an error that is not a number is infinite`() {
        #expect(BenchmarkOperation.error([(1, 1), (.nan, 2)]) == .infinity)
        #expect(BenchmarkOperation.error([(1, 1), (3, 4)]) == 0.25)
        #expect(BenchmarkOperation.error([(0, 0)]) == 0)
    }

    @Test func `a model of a published size has its published number of parameters`() throws {
        // Peebles & Xie, table 1: 33 M, without the table of positions.
        let subject = try BenchmarkSubject(size: "S/2")
        #expect(subject.config.size.tokens == 256)
        let report = Benchmark(subject: subject, workers: Workers(count: 1), repeats: 1).emptyReport
        #expect((32_500_000...33_500_000).contains(report.subject.parameters))
    }
}
