import Compute

/// A stored parameter of a network: its key and its shape.
struct Parameter {
    /// The name under which this package's own files store it.
    var key: String
    /// The shape in memory.
    let shape: [Int]
    /// The shapes that it may have in a file, of the same elements in the same order; the first is the usual one.
    let storedShapes: [[Int]]
    /// Random values, where there is no checkpoint, are uniform between plus and minus this.
    let spread: Float
    /// Whether a file may leave it out.
    var isOptional = false

    init(_ key: String, _ shape: [Int], stored: [[Int]]? = nil, spread: Float = 1) {
        self.key = key
        self.shape = shape
        storedShapes = stored ?? [shape]
        self.spread = spread
    }

    var count: Int { shape.reduce(1, *) }
}

/// A part of a network, declared once: which parameters it has, and how it is made of their values.
///
/// Checking a checkpoint, loading it, filling a network with random numbers and counting its parameters all follow from
/// the declaration. A part is declared from smaller ones:
///
///     Declared(.linear("mlp.fc1", 384, to: 1536), .linear("mlp.fc2", 1536, to: 384)) { MLP(fc1: $0, fc2: $1) }
struct Declared<Part> {
    /// The parameters in the order of the forward.
    let parameters: [Parameter]

    /// Makes the part; the prefix is put before the keys of its parameters.
    private let make: (_ source: any ParameterSource, _ prefix: String) throws -> Part

    /// A part with parameters of its own, which `make` reads from the source.
    init(
        parameters: [Parameter], make: @escaping (_ source: any ParameterSource, _ own: [Parameter]) throws -> Part
    ) {
        self.parameters = parameters
        self.make = { source, prefix in try make(source, parameters.map { $0.inside(prefix) }) }
    }

    /// A part that consists of others, which are made in order.
    init<each Piece>(_ pieces: repeat Declared<each Piece>, make: @escaping (repeat each Piece) -> Part) {
        var parameters: [Parameter] = []
        for piece in repeat each pieces { parameters += piece.parameters }
        self.parameters = parameters
        self.make = { source, prefix in make(repeat try (each pieces).make(source, prefix)) }
    }

    private init(_ parameters: [Parameter], _ make: @escaping (any ParameterSource, String) throws -> Part) {
        self.parameters = parameters
        self.make = make
    }

    /// The part from the values of a source.
    func made(from source: any ParameterSource) throws -> Part { try make(source, "") }

    /// The same part as a piece of the module `name`.
    func inside(_ name: String) -> Declared {
        Declared(parameters.map { $0.inside(name + ".") }) { try make($0, $1 + name + ".") }
    }

    static func optional<Piece>(_ part: Declared<Piece>, if isThere: Bool) -> Self where Part == Piece? {
        isThere ? Self(part.parameters) { try part.make($0, $1) } : Self([]) { _, _ in nil }
    }

    /// Several parts of one kind.
    static func list<Element>(_ parts: [Declared<Element>]) -> Self where Part == [Element] {
        Self(parts.flatMap(\.parameters)) { source, prefix in try parts.map { try $0.make(source, prefix) } }
    }

    /// Several parts of one kind, of which only the first is kept if all others equal it; each other one is dropped as
    /// soon as it has been compared.
    static func list<Element>(
        _ parts: [Declared<Element>], joining areEqual: @escaping (Element, Element) -> Bool
    ) -> Self where Part == [Element] {
        Self(parts.flatMap(\.parameters)) { source, prefix in
            var made: [Element] = []
            var differ = false
            for part in parts {
                let next = try part.make(source, prefix)
                let equalsFirst = made.first.map { areEqual(next, $0) } ?? false
                differ = differ || !(made.isEmpty || equalsFirst)
                made.append(equalsFirst ? made[0] : next)
            }
            return differ ? made : Array(made.prefix(1))
        }
    }

    /// The number of elements of all parameters that a file must hold.
    var parameterCount: Int { parameters.reduce(0) { $1.isOptional ? $0 : $0 + $1.count } }
}

extension Parameter {
    fileprivate func inside(_ prefix: String) -> Parameter {
        var copy = self
        copy.key = prefix + key
        return copy
    }
}

// MARK: - The smallest parts

extension Declared where Part == Tensor {
    /// A tensor that is used as it is stored; `stored` is its shape in files, if that is another.
    static func tensor(_ key: String, _ shape: [Int], stored: [Int]? = nil) -> Self {
        Self(parameters: [Parameter(key, shape, stored: stored.map { [$0] })]) { try $0.tensor($1[0]) }
    }

    /// A tensor that is computed where the file has none.
    static func tensor(_ key: String, _ shape: [Int], stored: [Int], orElse compute: @escaping () -> Tensor) -> Self {
        var parameter = Parameter(key, shape, stored: [stored])
        parameter.isOptional = true
        return Self(parameters: [parameter]) { $0.has($1[0]) ? try $0.tensor($1[0]) : compute() }
    }
}

extension Declared where Part == Linear {
    /// An affine map from `inputs` to `outputs` numbers.
    ///
    /// - Parameters:
    ///   - name: the module, with a `weight` (outputs, inputs) and a `bias` (outputs).
    ///   - inputs: the width of an input row.
    ///   - outputs: the width of an output row.
    ///   - hasBias: whether there is a bias; without one, zeros stand for it.
    ///   - stored: the extents that files have in the place of `inputs`, such as those of a convolution.
    ///   - gain: random weights keep the size of what passes through them, times this.
    ///   - role: what it does in the network, by which engines decide on its precision.
    /// - Returns: the declaration.
    static func linear(
        _ name: String, _ inputs: Int, to outputs: Int, hasBias: Bool = true, stored: [Int]? = nil, gain: Float = 1,
        role: LayerRole = .block
    ) -> Self {
        let weight = Parameter(
            name + ".weight", [outputs, inputs], stored: [[outputs] + (stored ?? [inputs])],
            spread: gain * (3 / Float(inputs)).squareRoot())
        let bias = hasBias ? [Parameter(name + ".bias", [outputs], spread: 0.1 * gain)] : []
        return Self(parameters: [weight] + bias) { source, own in
            try Linear(
                weight: try source.matrix(own[0]),
                bias: try own.count > 1 ? source.tensor(own[1]) : Tensor([outputs]), role: role,
                engine: source.engine)
        }
    }
}

extension Declared where Part == Convolution {
    /// A convolution of 3 x 3 taps.
    static func convolution(_ name: String, _ inputs: Int, to outputs: Int, hasBias: Bool = true) -> Self {
        let filters = Filters(name, inputs, outputs, side: 3, hasBias: hasBias)
        return Self(parameters: filters.parameters) { source, own in
            try filters.lend(source, own) {
                Convolution(weight: $0, outputs: outputs, inputs: inputs, bias: $1, engine: source.engine)
            }
        }
    }
}

extension Declared where Part == PointwiseConvolution {
    /// A convolution of one tap; files may hold a linear layer in its place.
    static func pointwise(_ name: String, _ inputs: Int, to outputs: Int) -> Self {
        let filters = Filters(name, inputs, outputs, side: 1, hasBias: true)
        return Self(parameters: filters.parameters) { source, own in
            try filters.lend(source, own) {
                PointwiseConvolution(weight: $0, outputs: outputs, inputs: inputs, bias: $1, engine: source.engine)
            }
        }
    }
}

extension Declared where Part == GroupNorm {
    /// A group norm with a `weight` and a `bias` (channels).
    static func norm(_ name: String, _ channels: Int, groups: Int, epsilon: Double) -> Self {
        Self(parameters: [Parameter(name + ".weight", [channels]), Parameter(name + ".bias", [channels])]) {
            GroupNorm(groups: groups, epsilon: epsilon, scale: try $0.tensor($1[0]), shift: try $0.tensor($1[1]))
        }
    }
}

/// The parameters of a convolution, which are stored in another order than they are used in.
private struct Filters {
    let parameters: [Parameter]

    init(_ name: String, _ inputs: Int, _ outputs: Int, side: Int, hasBias: Bool) {
        let shape = [outputs, inputs, side, side]
        let spread = (3 / Float(inputs * side * side)).squareRoot()
        let weight = Parameter(
            name + ".weight", shape, stored: side == 1 ? [shape, [outputs, inputs]] : [shape], spread: spread)
        parameters = [weight] + (hasBias ? [Parameter(name + ".bias", [outputs], spread: 0.1)] : [])
    }

    func lend<Layer>(
        _ source: any ParameterSource, _ own: [Parameter], _ make: (UnsafePointer<Float>, Tensor?) -> Layer
    ) throws -> Layer {
        let bias = own.count > 1 ? try source.tensor(own[1]) : nil
        return try source.withValues(of: own[0]) { make($0, bias) }
    }
}
