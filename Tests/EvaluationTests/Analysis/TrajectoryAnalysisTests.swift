import Caching
import Compute
import Foundation
import Models
import PipelineSupport
import Sampling
import TestSupport
import Testing

@testable import Evaluation
@testable import Pipeline

/// Whole analyses of the tiny models.
@Suite struct TrajectoryAnalysisTests {
    private func report(
        _ name: String = "official-sample", steps: Int = 6, scale: Double = 2, sampler: SamplerOptions? = nil,
        seeds: [UInt32] = [1, 2, 3]
    ) throws -> TrajectoryReport {
        let directory = try GoldenCase(name: name).directory()
        let settings = SampleSettings(
            steps: steps, sampler: sampler ?? directory.defaultSettings.sampler, guidanceScale: scale)
        let analysis = try TrajectoryAnalysis(
            directory: directory, network: directory.load(), settings: settings, workers: Workers(count: 1))
        for seed in seeds {
            var run = try analysis.start(SampleItem(classID: 1, seed: seed))
            while try run.next() != nil {}
        }
        return try analysis.report()
    }

    /// Every row's width, and the widths' number of rows, of a table.
    private func widths(_ table: String) -> [Int] {
        table.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).count }
    }

    @Test(arguments: GoldenCase.all)
    func `every kind of model has a report without a number that is not one`(golden: GoldenCase) throws {
        let report = try report(golden.name, seeds: [1, 2])
        #expect(report.calls.count == 6 && report.items.count == 2)
        let text = String(decoding: try report.json, as: UTF8.self)
        #expect(text.contains(#""schema" : "omnicache.analysis/1""#))
        for table in [report.stepsCSV, report.blocksCSV] { #expect(!table.contains("nan") && !table.contains("inf")) }
        #expect(report.path.mean.count == 7 && report.path.runs.allSatisfy { $0.count == 7 })
        #expect(report.path.mean.first == [0, 0, 0])
    }

    @Test func `the report is the same, byte for byte, and survives the way through JSON`() throws {
        let (first, second) = (try report(), try report())
        #expect(try first.json == second.json)
        #expect(try TrajectoryReport(json: first.json, path: "a.json") == first)
    }

    @Test(arguments: ["", "{}", "[1]"])
    func `what is no report is refused`(text: String) {
        #expect(throws: PipelineError.self) { try TrajectoryReport(json: Array(text.utf8), path: "a.json") }
    }

    @Test func `a report of another version is refused`() throws {
        let text = String(decoding: try report().json, as: UTF8.self)
        let other = text.replacingOccurrences(of: "omnicache.analysis/1", with: "omnicache.analysis/2")
        #expect(throws: PipelineError.self) { try TrajectoryReport(json: Array(other.utf8), path: "a.json") }
    }

    @Test func `the tables have a row for each call, and for each site, branch and call but the first`() throws {
        let report = try report()
        let depth = try GoldenCase(name: "official-sample").directory().config.size.depth
        let (steps, blocks) = (widths(report.stepsCSV), widths(report.blocksCSV))
        // 5 columns of the call, then mean and deviation of 4 measures of the state and 7 + 8 of each kind of output.
        #expect(steps == Array(repeating: 5 + 2 * (4 + 3 * 15), count: 7))
        #expect(blocks == Array(repeating: 11, count: 1 + (2 * depth + 1) * 2 * 5))
        #expect(report.blocks.count == (2 * depth + 1) * 2 * 5)
    }

    @Test func `one image has no spread, and an unguided run one branch`() throws {
        let report = try report(scale: 1, seeds: [5])
        #expect(report.calls.allSatisfy { $0.conditional == nil && $0.unconditional == nil })
        #expect(Set(report.blocks.map(\.branch)) == [.conditional])
        #expect(report.blocks.allSatisfy { $0.relativeL1.standardDeviation == nil })
        let text = String(decoding: try report.json, as: UTF8.self)
        #expect(!text.contains("standardDeviation") && text.contains(#""mean""#))
        let cells = report.stepsCSV.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        for (column, name) in cells[0].enumerated() where name.hasSuffix("_sd") {
            #expect(cells.dropFirst().allSatisfy { $0[column].isEmpty })
        }
    }

    @Test(arguments: [
        SamplerOptions(.heun), SamplerOptions(.ddpm), SamplerOptions(.dpmSolver), SamplerOptions(eta: 0.5),
    ])
    func `every sampler can be analysed`(sampler: SamplerOptions) throws {
        let report = try report(sampler: sampler, seeds: [1, 2])
        #expect(report.calls.count == (sampler.kind == .heun ? 11 : 6))
        #expect(report.calls.filter { $0.state != nil }.count == 6)
        #expect(report.path.mean.count == 7)
        #expect(Set(widths(report.stepsCSV)).count == 1)
    }

    /// The recorder against features that another interceptor keeps in full.
    @Test func `the changes of the blocks are those of the features`() throws {
        let golden = GoldenCase(name: "official-sample")
        let directory = try golden.directory()
        let network = try directory.load()
        let settings = SampleSettings(steps: 4, sampler: SamplerOptions(), guidanceScale: 2)
        let sampler = try ImageSampler(
            directory: directory, network: network, settings: settings, workers: Workers(count: 1))
        let keeper = FeatureKeeper()
        var run = try sampler.start(SampleItem(classID: 1, seed: 9)) { denoiser in
            denoiser.interceptor = keeper
            return denoiser
        }
        while try run.next() != nil {}
        let report = try report(steps: 4, seeds: [9])
        for row in report.blocks {
            let site: Site.ID =
                row.site == .stack ? .stack : .layer(LayerKind(row.site.rawValue), block: row.block ?? -1)
            func feature(_ call: Int) throws -> [Double] {
                let entry = row.branch == .conditional ? 0 : 1
                return try #require(keeper.features["\(site) \(entry) \(call)"])
            }
            let (now, before) = (try feature(row.call), try feature(row.call - 1))
            let change = zip(now, before).reduce(0) { $0 + abs($1.0 - $1.1) }
            let size = before.reduce(0) { $0 + abs($1) }
            #expect(abs(row.relativeL1.mean / (change / size) - 1) < 1e-6)
        }
    }
}

/// Keeps every output of every site.
private final class FeatureKeeper: SiteInterceptor {
    private(set) var features: [String: [Double]] = [:]

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {
        features["\(site) \(entry) \(call)"] = zip(output, input).map { site == .stack ? Double($0 - $1) : Double($0) }
    }
}
