import Compute

/// One block of a T5 encoder: its parameters and its forward. There is no bias anywhere, and scores are not scaled.
struct T5Block {
    let attentionNorm: Tensor
    /// (H K, D) each.
    let query, key, value: Linear
    /// (D, H K).
    let output: Linear
    let mlpNorm: Tensor
    /// (M, D); with GELU's layer first where there are two.
    let mlpIn: [Linear]
    /// (D, M).
    let mlpOut: Linear

    /// The block `index`, under the names of transformers.
    static func declared(_ index: Int, _ config: T5Config) -> Declared<T5Block> {
        let (width, inner) = (config.width, config.heads * config.headDimension)
        let (attention, mlp) = ("layer.0.SelfAttention", "layer.1.DenseReluDense")
        let inputs = config.activation == .relu ? ["wi"] : ["wi_0", "wi_1"]
        return Declared(
            .tensor("layer.0.layer_norm.weight", [width]),
            .linear("\(attention).q", width, to: inner, hasBias: false, role: .passing),
            .linear("\(attention).k", width, to: inner, hasBias: false, role: .passing),
            .linear("\(attention).v", width, to: inner, hasBias: false, role: .passing),
            .linear("\(attention).o", inner, to: width, hasBias: false, role: .passing),
            .tensor("layer.1.layer_norm.weight", [width]),
            .list(
                inputs.map { .linear("\(mlp).\($0)", width, to: config.mlpWidth, hasBias: false, role: .passing) }),
            .linear("\(mlp).wo", config.mlpWidth, to: width, hasBias: false, role: .passing)
        ) {
            T5Block(
                attentionNorm: $0, query: $1, key: $2, value: $3, output: $4, mlpNorm: $5, mlpIn: $6, mlpOut: $7)
        }.inside("encoder.block.\(index)")
    }

    // swift-format-ignore
    /// x = x + attention(norm(x)), then x = x + mlp(norm(x)).
    func forward(_ w: T5Workspace, bias: RelativePositionBias) {
        w.normalise(w.states, by: attentionNorm, into: w.normed)                                  // (T, D)
        w.apply(query, w.normed, into: w.query)                                                   // (T, H K)
        w.apply(key, w.normed, into: w.key)                                                       // (T, H K)
        w.apply(value, w.normed, into: w.value)                                                   // (T, H K)
        w.attend(bias)                                                                            // (T, H K)
        w.apply(output, w.mixed, into: w.change)                                                  // (T, D)
        w.addChange()
        w.normalise(w.states, by: mlpNorm, into: w.normed)                                        // (T, D)
        if mlpIn.count == 2 {
            w.apply(mlpIn[0], w.normed, into: w.hidden, activation: .gelu)                        // (T, M)
            w.apply(mlpIn[1], w.normed, into: w.gate)                                             // (T, M)
            w.multiplyHiddenByGate()
        } else {
            w.apply(mlpIn[0], w.normed, into: w.hidden)                                           // (T, M)
            w.cutHiddenAtZero()
        }
        w.apply(mlpOut, w.hidden, into: w.change)                                                 // (T, D)
        w.addChange()
    }
}

/// The memory of one encoding, and the kernels on it; T tokens.
final class T5Workspace {
    /// The tokens' states, (T, D).
    let states: Tensor
    let normed, change: Tensor
    /// (T, H K).
    let query, key, value, mixed: Tensor
    /// (T, M).
    let hidden, gate: Tensor

    /// Whether all results of products have been finite so far. Where a weight is infinite or NaN, those of its output are
    /// for every token, and GELU leaves them so: that costs less to see than to read all weights twice.
    private(set) var areFinite = true

    private let config: T5Config
    private let tokens: Int
    private let attention: Attention
    private let workers: Workers
    private let scratch = ProductScratch()

    /// Memory for `tokens` tokens, of which only the first `keys` are attended to.
    init(_ config: T5Config, tokens: Int, keys: Int, engine: any Engine, workers: Workers) {
        self.config = config
        self.tokens = tokens
        self.workers = workers
        let inner = config.heads * config.headDimension
        (states, normed, change) = (
            Tensor([tokens, config.width]), Tensor([tokens, config.width]), Tensor([tokens, config.width])
        )
        (query, key) = (Tensor([tokens, inner]), Tensor([tokens, inner]))
        (value, mixed) = (Tensor([tokens, inner]), Tensor([tokens, inner]))
        (hidden, gate) = (Tensor([tokens, config.mlpWidth]), Tensor([tokens, config.mlpWidth]))
        // Each head adds numbers of its own to its scores, so each is an attention by itself.
        attention = Attention(
            queries: tokens, keys: keys, heads: 1, headDimension: config.headDimension, scale: 1, engine: engine,
            workers: workers)
    }

    func normalise(_ x: Tensor, by scale: Tensor, into y: Tensor) {
        let width = config.width
        workers.run(tasks: tokens) { _, row in
            RMSNorm.apply(
                x.pointer + row * width, rows: 1, width: width, epsilon: Float(config.epsilon), scale: scale.pointer,
                into: y.pointer + row * width)
        }
    }

    func apply(_ layer: Linear, _ x: Tensor, into y: Tensor, activation: Activation? = nil) {
        layer(x.pointer, rows: tokens, into: y.pointer, activation: activation, workers: workers, scratch: scratch)
        areFinite = areFinite && WeightMatrix.Element.float32.areFinite(y.pointer, count: y.count)
    }

    func attend(_ bias: RelativePositionBias) {
        let inner = config.heads * config.headDimension
        workers.run(tasks: config.heads * attention.taskCount) { worker, task in
            let (head, part) = task.quotientAndRemainder(dividingBy: attention.taskCount)
            let column = head * config.headDimension
            attention.run(
                task: part, worker: worker, query: Attention.Rows(query.pointer + column, distance: inner),
                key: Attention.Rows(key.pointer + column, distance: inner),
                value: Attention.Rows(value.pointer + column, distance: inner), mask: bias.rows(head: head),
                into: Attention.Results(mixed.pointer + column, distance: inner))
        }
    }

    func addChange() {
        workers.run(tasks: tokens) { _, row in
            let start = row * config.width
            Elementwise.add(change.pointer + start, count: config.width, to: states.pointer + start)
        }
    }

    func multiplyHiddenByGate() {
        workers.run(tasks: tokens) { _, row in
            let start = row * config.mlpWidth
            Elementwise.multiply(by: gate.pointer + start, count: config.mlpWidth, hidden.pointer + start)
        }
    }

    func cutHiddenAtZero() {
        for index in hidden.values.indices { hidden.values[index] = max(0, hidden.values[index]) }
    }
}
