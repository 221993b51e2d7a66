import Caching
import Compute
import Foundation
import FoundationXML
import Media
import Sampling
import Testing

@testable import Evaluation
@testable import Pipeline

/// Comparisons on the embedded model.
@Suite(.serialized) struct ComparisonTests {
    private static let items = [SampleItem(classID: 3, seed: 1000), SampleItem(classID: 61, seed: 1001)]

    /// The model, and a comparison of ten steps made once.
    private struct Place {
        let directory: ModelDirectory
        let result: Comparison.Result
        let progress: [Comparison.Progress]

        init(strategies: String, budgets: [Double]) throws {
            let models = URL(filePath: #filePath).appending(path: "../../../../Models").standardizedFileURL.path
            directory = try ModelDirectory(path: "\(models)/emoji-dit-s8")
            let request = try ComparisonTests.request(StrategyCatalogue.strategies(strategies), budgets: budgets)
            var progress: [Comparison.Progress] = []
            result = try Comparison(
                directory: directory, network: directory.load(), decoder: PixelDecoder(range: -1...1),
                workers: Workers(), request: request
            ).run { progress.append($0) }
            self.progress = progress
        }
    }

    private static let made = Result {
        try Place(strategies: "uniform+taylor:2,fora", budgets: [1, 0.5, 0.05])
    }

    private static func request(_ strategies: [any ReuseStrategy], budgets: [Double]) throws -> ComparisonRequest {
        try ComparisonRequest(
            settings: SampleSettings(steps: 10, sampler: SamplerOptions(), guidanceScale: 1.5), items: items,
            strategies: strategies, budgets: budgets.map(Budget.init))
    }

    private func row(_ strategy: String, _ budget: Double) throws -> ComparisonReport.Row {
        try #require(
            Self.made.get().result.report.rows.first { $0.strategy == strategy && $0.budget.share == budget })
    }

    @Test(arguments: ["uniform+taylor:2", "fora", "fewer-steps"])
    func `a budget of 1 is the uncached picture, bit for bit`(strategy: String) throws {
        let row = try row(strategy, 1)
        #expect(row.pairs.allSatisfy { $0.psnr == nil && $0.psnr8 == nil && $0.latentError == 0 && $0.ssim == 1 })
        #expect(row.summary?.psnr.identical == 2 && row.summary?.evaluations == 20)
        #expect(row.summary?.highFrequencyEnergy == 1)
    }

    @Test func `the other sampler's picture is another at any budget`() throws {
        let row = try row("fewer-steps:dpm++2m", 1)
        #expect(row.pairs.allSatisfy { ($0.psnr ?? 99) < 60 && ($0.latentError ?? 0) > 1e-3 })
    }

    @Test func `what a sceptic asks for is always there, and the first strategy's wins are counted`() throws {
        let report = try Self.made.get().result.report
        #expect(report.reference == "uniform+taylor:2")
        let names = ["uniform+taylor:2", "fora", "fewer-steps", "fewer-steps:dpm++2m"]
        #expect(report.rows.map(\.strategy) == names + names + names)
        #expect(try row("uniform+taylor:2", 0.5).summary?.wins == nil)
        let reference = try row("uniform+taylor:2", 0.5).pairs
        let other = try row("fewer-steps", 0.5)
        let wins = zip(reference, other.pairs).count { ($0.psnr ?? .infinity) > ($1.psnr ?? .infinity) }
        #expect(other.summary?.wins == Double(wins) / 2)
    }

    @Test func `no picture costs more than its budget, and the figures are those of pictures that differ`() throws {
        let rows = try Self.made.get().result.report.rows.filter { $0.budget.share == 0.5 }
        for row in rows {
            #expect(row.evaluationsAllowed == 10 && row.pairs.count == 2)
            for pair in row.pairs {
                #expect(pair.evaluations <= 10 && pair.evaluations > 5)
                let (psnr, psnr8) = (try #require(pair.psnr), try #require(pair.psnr8))
                // Rounding adds noise of a twelfth of a squared level: no more than that between the two.
                #expect((10...60).contains(psnr) && abs(psnr - psnr8) < 1)
                #expect(try #require(pair.ssim) < 1)
                #expect(try #require(pair.seconds) > 0 && (try #require(pair.speedUp)) > 0)
            }
        }
    }

    @Test func `a strategy that cannot reach a budget is a row that says what it needs`() throws {
        let row = try row("fewer-steps", 0.05)
        #expect(row.evaluationsAllowed == 1 && row.evaluationsNeeded == 2)
        #expect(row.summary == nil && row.pairs.isEmpty)
        let report = try Self.made.get().result.report
        #expect(report.table.plainText.contains("needs 2 of 20 evaluations"))
        #expect(row.line.contains(#""evaluationsNeeded":2"#))
    }

    @Test func `nothing is run twice, and progress goes from nothing to all`() throws {
        let progress = try Self.made.get().progress
        let runs = progress.filter { $0.isDone }
        // At 1 and 0.5 four strategies and at 0.05 none, and the uncached picture: 9 runs a pair.
        #expect(runs.count == 2 * 9)
        #expect(runs.filter { $0.strategy == nil }.count == 2)
        let shares = progress.map(\.share)
        #expect(shares == shares.sorted() && shares.first == 0 && shares.last == 1)
    }

    @Test func `the report survives JSON, and one that was cut short is refused`() throws {
        let report = try Self.made.get().result.report
        let bytes = report.json
        #expect(try ComparisonReport(json: bytes, path: "a.json") == report)
        #expect(throws: PipelineError.self) { try ComparisonReport(json: bytes.dropLast(9), path: "a.json") }
        #expect(report.calibrationItems.allSatisfy { !Self.items.map(\.seed).contains($0.seed) })
    }

    @Test func `the page is well-formed and shows every picture of the shown pairs`() throws {
        let place = try Self.made.get()
        let page = place.result.report.page(
            gallery: place.result.gallery, classNames: place.directory.classes, command: "omnicache compare <&>")
        let text = try page.text()
        let parser = XMLParser(data: Data(text.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        // Uncached and four strategies at two budgets, the uncached alone at the third; two pairs.
        #expect(text.components(separatedBy: "<img ").count - 1 == 2 * (5 + 5 + 1))
        #expect(text.contains("omnicache compare &lt;&amp;&gt;"))
    }

    @Test func `a strategy that spends more than its budget ends the comparison`() throws {
        struct Cheat: ReuseStrategy {
            let name = "cheat"
            func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
                PreparedStrategy(settings: context.settings, evaluations: 10.5)
            }
        }
        let directory = try Self.made.get().directory
        let comparison = try Comparison(
            directory: directory, network: directory.load(), decoder: PixelDecoder(range: -1...1), workers: Workers(),
            request: Self.request([Cheat()], budgets: [0.5]))
        #expect(
            throws: ComparisonError.overBudget(strategy: "cheat", item: Self.items[0], spent: 10.5, allowed: 10)
        ) { try comparison.run { _ in } }
    }

    @Test func `what progress throws ends the comparison`() throws {
        struct Stop: Error {}
        let directory = try Self.made.get().directory
        let comparison = try Comparison(
            directory: directory, network: directory.load(), decoder: PixelDecoder(range: -1...1), workers: Workers(),
            request: Self.request(StrategyCatalogue.sceptics, budgets: [0.5]))
        #expect(throws: Stop.self) { try comparison.run { if $0.pair == 0 { throw Stop() } } }
    }
}
