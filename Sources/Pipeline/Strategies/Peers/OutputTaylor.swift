import OmniCache
import Sampling

/// Taylor's series of a whole output in the index of the call, from divided differences of the last full outputs.
struct OutputTaylor: Forecaster {
    let name = "taylor"
    let quantity: ForecastQuantity
    let order: Int
    let bandCount = 1

    var depth: Int { order + 1 }

    func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        let known = history.calls(of: branch)
        // differences[i]: the weights of the known outputs in the difference of the present order at known[i].
        var differences: [[Double]] = known.indices.map { i in known.indices.map { $0 == i ? 1 : 0 } }
        var weights = differences[0]
        var factor = 1.0
        for order in stride(from: 1, to: known.count, by: 1) {
            factor *= Double(call - known[0]) / Double(order)
            for i in 0..<differences.count - 1 {
                let distance = Double(known[i] - known[i + 1])
                for j in known.indices { differences[i][j] = (differences[i][j] - differences[i + 1][j]) / distance }
            }
            differences.removeLast()
            for j in known.indices { weights[j] += factor * differences[0][j] }
        }
        return zip(known, weights).map { ForecastTerm(branch: branch, call: $0, weight: $1) }
    }
}

/// The last full output.
struct HeldOutput: Forecaster {
    let name = "hold"
    let quantity: ForecastQuantity
    let depth = 1
    let bandCount = 1

    func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm] {
        [ForecastTerm(branch: branch, call: history.calls(of: branch)[0], weight: 1)]
    }
}
