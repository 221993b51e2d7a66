import Caching
import Foundation
import Sampling
import Testing

@Suite struct ReusePlanTests {
    private let plan = ReusePlan(
        evaluated: [Runs.guided, .conditional, [], Runs.guided], branches: Runs.guided)

    @Test func `a plan is drawn with one row per branch`() {
        #expect(plan.description == "conditional    ██·█\nunconditional  █··█")
        #expect(ReusePlan(steps: [true, false], branches: .conditional).description == "conditional  █·")
    }

    @Test func `a plan survives coding`() throws {
        for plan in [plan, .full(calls: 3, branches: .conditional)] {
            #expect(try JSONDecoder().decode(ReusePlan.self, from: JSONEncoder().encode(plan)) == plan)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(plan), as: UTF8.self)
                == #"{"conditional":"FFRF","unconditional":"FRRF"}"#)
    }

    @Test(arguments: [
        #"{"conditional":"FFR","unconditional":"FR"}"#, #"{"conditional":"RFF"}"#, #"{"conditional":"FX"}"#,
        #"{"unconditional":"FF"}"#, #"{"conditional":""}"#, #"{}"#, #"{"conditional":"F","other":"F"}"#,
        #"{"conditional":"FF","unconditional":"RF"}"#,
    ])
    func `decisions that are no plan are refused`(json: String) {
        #expect(throws: PlanError.self) { try JSONDecoder().decode(ReusePlan.self, from: Data(json.utf8)) }
    }
}
