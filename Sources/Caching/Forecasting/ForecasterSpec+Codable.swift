import Sampling

/// Coded as an object whose `kind` says which other keys it has.
extension ForecasterSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, order, quantity, variable, scale, gammas, filter, depth, bands, terms
    }

    public init(from decoder: any Decoder) throws {
        do {
            try self.init(fields: decoder.container(keyedBy: CodingKeys.self))
        } catch let error as DecodingError {
            throw PlanError.invalidForecaster("the forecaster cannot be read: \(error.summary)")
        }
        try validate()
    }

    private init(fields: KeyedDecodingContainer<CodingKeys>) throws {
        let kind = try fields.decode(String.self, forKey: .kind)
        let quantity = try fields.decode(ForecastQuantity.self, forKey: .quantity)
        switch kind {
        case "hold":
            self = .hold(quantity: quantity)
        case "taylor":
            self = .taylor(
                order: try fields.decode(Int.self, forKey: .order), quantity: quantity,
                variable: try fields.decode(ForecastVariable.self, forKey: .variable))
        case "hermite":
            self = .hermite(
                order: try fields.decode(Int.self, forKey: .order),
                scale: try fields.decode(Double.self, forKey: .scale), quantity: quantity)
        case "omnicache":
            self = .omnicache(
                gammas: try fields.decode([Double].self, forKey: .gammas),
                filter: try fields.decodeIfPresent(OmniCacheForecaster.Filter.self, forKey: .filter),
                quantity: quantity)
        default:
            guard let name = FittedName(rawValue: kind) else {
                let known = ["hold", "taylor", "hermite", "omnicache"] + FittedName.allCases.map(\.rawValue)
                throw PlanError.invalidForecaster(
                    "no forecaster is called '\(kind)'; there are \(known.joined(separator: ", "))")
            }
            self = .fitted(
                name: name, quantity: quantity, depth: try fields.decode(Int.self, forKey: .depth),
                bandCount: try fields.decode(Int.self, forKey: .bands),
                entries: try fields.decode([FittedForecaster.Entry].self, forKey: .terms))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .hold(let quantity):
            try fields.encode("hold", forKey: .kind)
            try fields.encode(quantity, forKey: .quantity)
        case .taylor(let order, let quantity, let variable):
            try fields.encode("taylor", forKey: .kind)
            try fields.encode(order, forKey: .order)
            try fields.encode(quantity, forKey: .quantity)
            try fields.encode(variable, forKey: .variable)
        case .hermite(let order, let scale, let quantity):
            try fields.encode("hermite", forKey: .kind)
            try fields.encode(order, forKey: .order)
            try fields.encode(scale, forKey: .scale)
            try fields.encode(quantity, forKey: .quantity)
        case .omnicache(let gammas, let filter, let quantity):
            try fields.encode("omnicache", forKey: .kind)
            try fields.encode(gammas, forKey: .gammas)
            try fields.encodeIfPresent(filter, forKey: .filter)
            try fields.encode(quantity, forKey: .quantity)
        case .fitted(let name, let quantity, let depth, let bandCount, let entries):
            try fields.encode(name.rawValue, forKey: .kind)
            try fields.encode(quantity, forKey: .quantity)
            try fields.encode(depth, forKey: .depth)
            try fields.encode(bandCount, forKey: .bands)
            try fields.encode(entries, forKey: .terms)
        }
    }
}

extension FittedForecaster.Entry: Codable {
    private enum CodingKeys: String, CodingKey {
        case branch, call
        case terms = "sum"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            branch: try GuidanceBranches(codedAs: fields.decode(String.self, forKey: .branch)),
            call: try fields.decode(Int.self, forKey: .call),
            terms: try fields.decode([ForecastTerm].self, forKey: .terms))
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(branch.codedName, forKey: .branch)
        try fields.encode(call, forKey: .call)
        try fields.encode(terms, forKey: .terms)
    }
}

extension ForecastTerm: Codable {
    private enum CodingKeys: String, CodingKey {
        case branch, call, weights
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            branch: try GuidanceBranches(codedAs: fields.decode(String.self, forKey: .branch)),
            call: try fields.decode(Int.self, forKey: .call),
            weights: try fields.decode([Double].self, forKey: .weights))
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(branch.codedName, forKey: .branch)
        try fields.encode(call, forKey: .call)
        try fields.encode(weights, forKey: .weights)
    }
}

extension GuidanceBranches {
    /// The name of a single branch in files.
    var codedName: String { self == .conditional ? "conditional" : "unconditional" }

    /// The branch of that name.
    init(codedAs name: String) throws(PlanError) {
        guard let found = Self.named.first(where: { $0.name == name }) else {
            throw .invalidForecaster("no branch is called '\(name)'; there are conditional and unconditional")
        }
        self = found.branch
    }
}

extension DecodingError {
    /// What is wrong with which key, without the decoder's own words.
    var summary: String {
        switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.last { $0.intValue == nil }.map { "'\($0.stringValue)' is not what it should be" }
                ?? "it is not an object"
        @unknown default: "it is damaged"
        }
    }
}
