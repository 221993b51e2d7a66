import Caching
import FoundationEssentials
import Sampling

/// A calibration in a file, with the model and the settings that it is for, and the forecasters fitted so far.
public struct CalibrationFile: Codable, Equatable, Sendable {
    /// The format of the file.
    public static let currentSchema = "omnicache.calibration/1"
    /// What to do about a file that cannot be used.
    static let remedy = "delete it, or make it again with 'omnicache calibrate --force'"

    /// A plan and the forecaster that is best for it: a fit, or a plainer one where no fit was better (``FitCheck``).
    public struct Fit: Codable, Equatable, Sendable {
        /// What is evaluated.
        public let plan: ReusePlan
        /// What fills the gaps.
        public let forecaster: Forecaster

        /// Joins the parts.
        public init(plan: ReusePlan, forecaster: Forecaster) {
            self.plan = plan
            self.forecaster = forecaster
        }
    }

    /// The format.
    public let schema: String
    /// The model that was sampled.
    public let model: ImageRecord.Model
    /// The settings that it was sampled with.
    public let settings: SampleSettings
    /// The images that were sampled.
    public let items: [SampleItem]
    /// What was learnt.
    public let calibration: Calibration
    /// The forecasters, one for each plan.
    public let fits: [Fit]
    /// The SHA-256 of the rest, which detects a file that was edited or cut short.
    public let checksum: String

    /// A calibration of a model and its settings.
    public init(
        model: ImageRecord.Model, settings: SampleSettings, items: [SampleItem], calibration: Calibration,
        fits: [Fit] = []
    ) {
        let draft = CalibrationFile(
            model: model, settings: settings, items: items, calibration: calibration, fits: fits, checksum: "")
        self.init(
            model: model, settings: settings, items: items, calibration: calibration, fits: fits,
            checksum: draft.expectedChecksum)
    }

    private init(
        model: ImageRecord.Model, settings: SampleSettings, items: [SampleItem], calibration: Calibration,
        fits: [Fit], checksum: String
    ) {
        schema = Self.currentSchema
        self.model = model
        self.settings = settings
        self.items = items
        self.calibration = calibration
        self.fits = fits
        self.checksum = checksum
    }

    /// The same calibration with one more fit, in place of an older one for the same plan.
    public func adding(_ fit: Fit) -> CalibrationFile {
        CalibrationFile(
            model: model, settings: settings, items: items, calibration: calibration,
            fits: fits.filter { $0.plan != fit.plan } + [fit])
    }

    /// The same with plans that a search has chosen.
    public func choosing(_ choices: [PlanChoice]) -> CalibrationFile {
        CalibrationFile(
            model: model, settings: settings, items: items, calibration: calibration.choosing(choices), fits: fits)
    }

    /// The same with the plans that another calibration has chosen for other numbers of evaluations, and their forecasters.
    ///
    /// What both have learnt of the model is taken from the one with more images, and from this one where they have as many,
    /// or where it is to replace the other. Forecasters of plans that were not chosen are taken over only where the images
    /// are the same.
    public func completed(by other: CalibrationFile, replacing: Bool = false) -> CalibrationFile {
        guard other.isFor(model, settings) else { return self }
        func isReplaced(_ plan: ReusePlan) -> Bool { fits.contains { $0.plan == plan && !other.fits.contains($0) } }
        let choices = other.calibration.choices.filter { old in
            !calibration.choices.contains { $0.evaluations == old.evaluations }
        }.map { $0.chosen(by: $0.images ?? other.items.count).kept(without: isReplaced) }
        let plans = choices.flatMap { [$0.plan] + ($0.guarded.map { [$0.light, $0.heavy] } ?? []) }
        let known = other.fits.filter { old in
            !fits.contains { $0.plan == old.plan } && (other.items == items || plans.contains(old.plan))
        }
        let base = other.items.count > items.count && !replacing ? other : self
        return CalibrationFile(
            model: model, settings: settings, items: base.items,
            calibration: base.calibration.choosing(choices + calibration.choices), fits: fits + known)
    }

    /// Whether it is for this model and these settings.
    public func isFor(_ model: ImageRecord.Model, _ settings: SampleSettings) -> Bool {
        self.model.isSame(as: model) && self.settings == settings
    }

    private var expectedChecksum: String {
        let draft = CalibrationFile(
            model: model, settings: settings, items: items, calibration: calibration, fits: fits, checksum: "")
        return SHA256.hexadecimal(CanonicalJSON.data(draft))
    }

    /// The file's bytes: the same for the same calibration.
    public var bytes: [UInt8] { CanonicalJSON.file(self) }

    /// Reads a calibration.
    ///
    /// - Throws: ``PipelineError`` that says in one line what is wrong with the file.
    public init(path: String) throws(PipelineError) {
        try self.init(data: Data(InputFile.read(path)), path: path)
    }

    init(data: Data, path: String) throws(PipelineError) {
        try CanonicalJSON.checkSchema(
            of: data, path: path, is: Self.currentSchema, kind: "calibration", remedy: Self.remedy)
        guard let file = try? JSONDecoder().decode(CalibrationFile.self, from: data),
            file.checksum == file.expectedChecksum, !file.items.isEmpty
        else {
            throw .badData("\(path): was edited or damaged (its checksum does not fit); \(Self.remedy)")
        }
        self = file
    }
}

/// Coded with the inner products as the little-endian bytes of their lower triangles, in Base64: as exact as they are.
extension Calibration: Codable {
    private enum CodingKeys: String, CodingKey {
        case calls, branches, guidanceScale, bandSizes, samples, products, quantity, predictionType, response, stateGain
        case path, choices
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func refuse(_ key: CodingKeys, _ what: String) -> DecodingError {
            .dataCorruptedError(forKey: key, in: values, debugDescription: what)
        }
        let calls = try values.decode(Int.self, forKey: .calls)
        let branches = GuidanceBranches(rawValue: try values.decode(UInt8.self, forKey: .branches))
        guard (1...10_000).contains(calls), branches == .conditional || branches == [.conditional, .unconditional]
        else {
            throw refuse(.calls, "no run")
        }
        let bandSizes = try values.decode([Int].self, forKey: .bandSizes)
        let samples = try values.decode(Int.self, forKey: .samples)
        let products = try values.decode([Data].self, forKey: .products)
        let order = 1 + calls * branches.count
        guard samples > 0, !bandSizes.isEmpty, bandSizes.count == products.count,
            products.allSatisfy({ $0.count == order * (order + 1) / 2 * MemoryLayout<Double>.size })
        else { throw refuse(.products, "inner products of another run") }
        let response = try values.decode(SamplerResponse.self, forKey: .response)
        let gain = try values.decode([Double].self, forKey: .stateGain)
        let path = try values.decode(PathSeries.self, forKey: .path)
        let series = response.series + [gain, path.curvature, path.turningAngle, path.gamma, path.change]
        guard series.allSatisfy({ $0.count == calls && $0.allSatisfy(\.isFinite) }) else {
            throw refuse(.path, "series of another run")
        }
        self.init(
            gram: TrajectoryGram(
                calls: calls, branches: branches,
                guidanceScale: try values.decode(Double.self, forKey: .guidanceScale), bandSizes: bandSizes,
                runs: samples, sums: products.map { Self.matrix(of: order, lowerTriangle: $0) }),
            quantity: try values.decode(ForecastQuantity.self, forKey: .quantity),
            predictionType: try values.decode(PredictionType.self, forKey: .predictionType), response: response,
            stateGain: gain, path: path,
            choices: try Self.choices(in: values, calls: calls, branches: branches))
    }

    /// The choices, each for runs of these calls and branches.
    private static func choices(
        in values: KeyedDecodingContainer<CodingKeys>, calls: Int, branches: GuidanceBranches
    ) throws -> [PlanChoice] {
        let choices = try values.decodeIfPresent([PlanChoice].self, forKey: .choices) ?? []
        guard
            choices.allSatisfy({
                $0.plan.calls == calls && $0.plan.branches == branches && $0.plan.evaluations <= $0.evaluations
            })
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .choices, in: values, debugDescription: "choices of another run")
        }
        return choices
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(gram.calls, forKey: .calls)
        try values.encode(gram.branches.rawValue, forKey: .branches)
        try values.encode(gram.guidanceScale, forKey: .guidanceScale)
        try values.encode(gram.bandSizes, forKey: .bandSizes)
        try values.encode(gram.runs, forKey: .samples)
        try values.encode(gram.sums.map(Self.lowerTriangle), forKey: .products)
        try values.encode(quantity, forKey: .quantity)
        try values.encode(predictionType, forKey: .predictionType)
        try values.encode(response, forKey: .response)
        try values.encode(stateGain, forKey: .stateGain)
        try values.encode(path, forKey: .path)
        if !choices.isEmpty { try values.encode(choices, forKey: .choices) }
    }

    private static func lowerTriangle(_ matrix: Matrix) -> Data {
        var data = Data(capacity: matrix.rows * (matrix.rows + 1) / 2 * MemoryLayout<Double>.size)
        for i in 0..<matrix.rows {
            for j in 0...i {
                withUnsafeBytes(of: matrix[i, j].bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
        }
        return data
    }

    private static func matrix(of order: Int, lowerTriangle data: Data) -> Matrix {
        var matrix = Matrix(rows: order, columns: order)
        data.withUnsafeBytes { bytes in
            var offset = 0
            for i in 0..<order {
                for j in 0...i {
                    let pattern = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    matrix[i, j] = Double(bitPattern: pattern)
                    matrix[j, i] = matrix[i, j]
                    offset += MemoryLayout<Double>.size
                }
            }
        }
        return matrix
    }
}
