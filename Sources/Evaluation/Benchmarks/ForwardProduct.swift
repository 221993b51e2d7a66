import Compute
import Models

/// A matrix product of a forward, or those of an attention: one step of it, which several blocks may have.
struct ForwardProduct {
    /// Its name.
    let name: String
    /// The step in each block that has it.
    let steps: [ForwardStep]

    /// The step in the first block.
    var step: ForwardStep { steps[0] }

    /// Whether it is an attention.
    var isAttention: Bool {
        if case .attention = step.work { true } else { false }
    }

    /// The entries of a forward of `entries` for which it is made.
    func entries(of entries: Int) -> Int { step.isShared ? 1 : entries }

    /// The shape for people: rows x inputs x outputs, or tokens and heads.
    func shape(entries: Int) -> String {
        let rows = step.isShared ? "\(step.rows)" : "\(entries) x \(step.rows)"
        return switch step.work {
        case .product(let layer, _): "\(rows) rows, \(layer.inputWidth) to \(layer.outputWidth)"
        case .attention(let heads, let headDimension, _): "\(rows) tokens, \(heads) heads of \(headDimension)"
        case .modulation, .gatedAdd: "\(rows) rows"
        }
    }
}

extension DenoisingNetwork {
    /// The matrix products of a forward by their names, in the order in which it first makes them.
    var products: [ForwardProduct] {
        let steps = steps.filter { $0.multiplyAdds > 0 }
        let names = steps.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.map { name in ForwardProduct(name: name, steps: steps.filter { $0.name == name }) }
    }

    /// What a forward's products take, two operations per multiplication and addition.
    func operations(entries: Int) -> Double {
        steps.reduce(0) { $0 + 2 * Double(($1.isShared ? 1 : entries) * $1.multiplyAdds) }
    }
}
