import Caching
import Foundation
import Media
import Sampling
import Testing

@testable import Pipeline

@Suite struct PlanFileTests {
    private static let model = ImageRecord.Model(
        name: "tiny", hash: String(repeating: "ab", count: 32), configuration: "12")
    private static let settings = SampleSettings(steps: 8, sampler: SamplerOptions(), guidanceScale: 2)
    private static let guided: GuidanceBranches = [.conditional, .unconditional]

    private static func schedule(_ settings: SampleSettings = settings) throws -> RunSchedule {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        let sampler = try makeSampler(settings.sampler, process: process, steps: settings.steps, shape: [])
        return RunSchedule(calls: sampler.calls, branches: try Guidance(scale: settings.guidanceScale).branches)
    }

    private static func plan(_ forecaster: Forecaster? = nil) -> PlanFile {
        let decisions = ReusePlan(steps: "FRFRFRFF".map { $0 == "F" }, branches: guided)
        let spec = forecaster ?? .taylor(order: 2, quantity: .direction, variable: .logSNR)
        return PlanFile(
            model: model, settings: settings,
            reuse: ReuseRecord(budget: nil, planner: "mask", forecaster: spec, decisions: decisions))
    }

    /// A fitted forecaster with numbers that no short decimal stands for.
    private static let fitted = Forecaster.fitted(
        name: .steering, quantity: .direction, depth: 1, bandCount: 2,
        entries: [1, 3, 5].flatMap { call in
            [GuidanceBranches.conditional, .unconditional].map { branch in
                FittedRule.Entry(
                    branch: branch, call: call,
                    terms: [ForecastTerm(branch: branch, call: call - 1, weights: [1 / 3, 0.1 + 0.2])])
            }
        })

    @Test func `a plan survives its file, coefficients to the last bit, and its bytes are the same every time`() throws
    {
        for plan in [Self.plan(), Self.plan(Self.fitted)] {
            #expect(try PlanFile(data: Data(plan.bytes), path: "p.json") == plan)
            #expect(plan.bytes == PlanFile(model: plan.model, settings: plan.settings, reuse: plan.reuse).bytes)
            try plan.check(
                model: Self.model, settings: Self.settings, schedule: Self.schedule(), path: "p.json")
        }
    }

    @Test(arguments: ["", "Mask", "magic", "a\u{0}b", "\u{1B}]0;x\u{7}", String(repeating: "F", count: 100_000)])
    func `a planner that is not known is refused at once, in one short line`(planner: String) throws {
        let plan = Self.plan()
        let forged = PlanFile(
            model: plan.model, settings: plan.settings,
            reuse: ReuseRecord(
                budget: nil, planner: planner, forecaster: plan.reuse.forecaster, decisions: plan.reuse.decisions))
        let error = try #require(throws: PipelineError.self) { try PlanFile(data: Data(forged.bytes), path: "p.json") }
        guard case .badData(let text) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(text.hasPrefix("p.json: planner is '\(planner.prefix(40))'") && text.utf8.count < 300, "\(text)")
        #expect(text.contains("uniform, late, curvature, path, path-deviation, balanced, search, mask"), "\(text)")
    }

    @Test func `a plan that was cut short anywhere is refused`() {
        let bytes = Self.plan(Self.fitted).bytes
        for length in stride(from: 0, to: bytes.count - 2, by: 7) {
            #expect(throws: PipelineError.self) { try PlanFile(data: Data(bytes.prefix(length)), path: "p.json") }
        }
    }

    @Test(arguments: [
        ("\"FRFRFRFF\"", "\"FRFRFFFF\""), ("\"FRFRFRFF\"", "\"RRFRFRFF\""),
        ("\"guidanceScale\" : 2", "\"guidanceScale\" : 3"),
        ("\"order\" : 2", "\"order\" : 3"), ("\"order\" : 2", "\"order\" : 9"),
        ("\"evaluations\" : 10", "\"evaluations\" : 9"),
        ("\"steps\" : 8", "\"steps\" : 9"), ("\"taylor\"", "\"magic\""), ("\"mask\"", "\"path\""),
    ])
    func `a plan that was edited is refused`(old: String, new: String) throws {
        let text = String(decoding: Self.plan().bytes, as: UTF8.self)
        let edited = text.replacingOccurrences(of: old, with: new)
        #expect(edited != text)
        let error = try #require(throws: PipelineError.self) { try PlanFile(data: Data(edited.utf8), path: "p.json") }
        #expect("\(error)".hasPrefix("p.json: ") && !"\(error)".contains("\n"))
    }

    @Test func `a plan of another schema version is refused by its version`() throws {
        let text = String(decoding: Self.plan().bytes, as: UTF8.self)
            .replacingOccurrences(of: "omnicache.plan/1", with: "omnicache.plan/2")
        let error = try #require(throws: PipelineError.self) { try PlanFile(data: Data(text.utf8), path: "p.json") }
        #expect("\(error)".contains("omnicache.plan/2"))
    }

    @Test func `a plan for another model or run is refused with what differs`() throws {
        func refusal(model: ImageRecord.Model = Self.model, _ change: (inout SampleSettings) -> Void) throws -> String {
            var settings = Self.settings
            change(&settings)
            let schedule = try Self.schedule(settings)
            let error = try #require(throws: PipelineError.self) {
                try Self.plan().check(model: model, settings: settings, schedule: schedule, path: "p.json")
            }
            guard case .badData(let text) = error else { return "" }
            return text
        }
        let other = ImageRecord.Model(name: "other", hash: String(repeating: "cd", count: 32), configuration: "12")
        #expect(try refusal(model: other) { _ in }.contains("other"))
        #expect(try refusal { $0.steps = 9 }.contains("8 steps, not 9"))
        #expect(try refusal { $0.guidanceScale = 3 }.contains("guidance 2.0, not 3.0"))
        #expect(try refusal { $0.sampler.kind = .euler }.contains("sampler ddim, not euler"))
        #expect(try refusal { $0.sampler.spacing = .trailing }.contains("other options"))
    }

    @Test func `a plan whose parts do not fit each other is refused`() throws {
        var settings = Self.settings
        settings.steps = 9
        let decisions = Self.plan().reuse
        let odd = PlanFile(model: Self.model, settings: settings, reuse: decisions)
        let schedule = try Self.schedule(settings)
        #expect(throws: PipelineError.self) {
            try odd.check(model: Self.model, settings: settings, schedule: schedule, path: "p.json")
        }
        let unguided = ReuseRecord(
            budget: nil, planner: "mask", forecaster: .hold(quantity: .clean),
            decisions: ReusePlan(steps: "FRFRFRFF".map { $0 == "F" }, branches: .conditional))
        #expect(throws: PlanError.self) { try unguided.forecaster(for: Self.schedule()) }
    }

    // MARK: - Records

    private func record(_ reuse: ReuseRecord?) -> ImageRecord {
        ImageRecord(
            model: Self.model, settings: Self.settings, items: [SampleItem(classID: 0, seed: 7)], reuse: reuse)
    }

    @Test func `an image's record keeps what was reused, and tells it to viewers`() throws {
        let reuse = ReuseRecord(
            budget: try Budget(0.7), planner: "uniform", forecaster: Self.fitted, decisions: Self.plan().reuse.decisions
        )
        let image = Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
        let bytes = try ImageFile.Format.png.encode(Clip(image), record: record(reuse), classNames: ClassNames(["a"]))
        #expect(try ImageMetadata(png: bytes, path: "x.png").record == record(reuse))
        let viewers = try #require(try PNGReader.text(in: bytes).first { $0.keyword == "parameters" }?.text)
        #expect(viewers.contains("Cache: uniform+steering, Budget: 0.7, Evaluations: 10/16, Version: "))
    }

    @Test func `a record without reuse has no word of it, so that hashes stay as they were`() {
        let json = String(decoding: CanonicalJSON.data(record(nil)), as: UTF8.self)
        #expect(!json.contains("reuse"))
        // The hash of this record before there was reuse.
        #expect(record(nil).settingsHash == SHA256.hexadecimal(CanonicalJSON.data(NamelessRecord())))
    }

    /// The record's JSON as it was written before there was reuse.
    private struct NamelessRecord: Encodable {
        let schema = "omnicache.image/1"
        let model = ImageRecord.Model(
            name: "", hash: PlanFileTests.model.hash, configuration: PlanFileTests.model.configuration)
        let settings = PlanFileTests.settings
        let items = [SampleItem(classID: 0, seed: 7)]
    }

    @Test func `the settings hash tells decisions and coefficients apart, but not who decided`() throws {
        let plan = Self.plan().reuse
        let other = ReuseRecord(
            budget: nil, planner: "mask", forecaster: plan.forecaster,
            decisions: ReusePlan(steps: "FRFFFRFF".map { $0 == "F" }, branches: Self.guided))
        let hashes = [nil, plan, Self.plan(Self.fitted).reuse, other].map { record($0).settingsHash }
        #expect(Set(hashes).count == hashes.count)
        let renamed = ReuseRecord(
            budget: try Budget(0.6), planner: "uniform", forecaster: plan.forecaster, decisions: plan.decisions)
        #expect(record(renamed).settingsHash == hashes[1])
    }

    // MARK: - Requests

    @Test(arguments: [
        ("hold", Forecaster.hold(quantity: .direction)), ("hold:x0", .hold(quantity: .clean)),
        ("taylor", .taylor(order: 2, quantity: .clean, variable: .step)),
        ("taylor:3", .taylor(order: 3, quantity: .clean, variable: .step)),
        ("taylor:1:v:step", .taylor(order: 1, quantity: .velocity, variable: .step)),
        ("hermite", .hermite(order: 2, scale: 0.5, quantity: .direction)),
        ("hermite:3:0.7:x0", .hermite(order: 3, scale: 0.7, quantity: .clean)),
    ])
    func `a forecaster is read with its parameters`(text: String, expected: Forecaster) throws {
        #expect(try ForecasterChoice(text) == .complete(expected))
    }

    @Test(arguments: [
        "", "magic", "taylor:0", "taylor:5", "taylor:x", "taylor:2:noise", "taylor:2:x0:space", "taylor:2:x0:step:1",
        "hermite:2:0",
        "hermite:2:nan", "hold:1", "steering:2",
    ])
    func `what is no forecaster is refused`(text: String) {
        #expect(throws: PlanError.self) { try ForecasterChoice(text) }
    }

    @Test func `a budget of 1 is no reuse, whatever the planner`() throws {
        let resolver = PlanResolver(schedule: try Self.schedule())
        for planner in PlannerKind.allCases {
            #expect(try resolver.resolve(ReuseRequest(budget: Budget(1), planner: planner)) == nil)
        }
    }

    @Test func `what needs a calibration says so`() throws {
        let resolver = PlanResolver(schedule: try Self.schedule())
        for planner in [PlannerKind.late, .curvature, .path, .balanced] {
            #expect(throws: PlanError.self) {
                try resolver.resolve(ReuseRequest(budget: Budget(0.5), planner: planner))
            }
        }
        for choice in ForecasterChoice.CalibratedForecaster.allCases {
            let request = ReuseRequest(budget: try Budget(0.5), forecaster: .calibrated(choice))
            #expect(throws: PlanError.self) { try resolver.resolve(request) }
        }
    }
}
