import Caching
import FoundationEssentials
import Sampling

/// A calibration in a file, with the model and the settings that it is for, and the forecasters fitted so far.
public struct CalibrationFile: Codable, Equatable, Sendable {
    /// The format of the file.
    public static let currentSchema = "omnicache.calibration/1"

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
    /// The SHA-256 of the rest, so that a file that was edited or cut short is told from a whole one.
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

    /// Whether it is for this model and these settings.
    public func isFor(_ model: ImageRecord.Model, _ settings: SampleSettings) -> Bool {
        self.model.isSame(as: model) && self.settings == settings
    }

    private var expectedChecksum: String {
        let draft = CalibrationFile(
            model: model, settings: settings, items: items, calibration: calibration, fits: fits, checksum: "")
        return SHA256.hexadecimal(ImageRecord.canonical(draft))
    }

    /// The file's bytes: the same for the same calibration.
    public var bytes: [UInt8] { [UInt8](ImageRecord.canonical(self)) + [UInt8(ascii: "\n")] }

    /// Reads a calibration.
    ///
    /// - Throws: ``PipelineError`` that says in one line what is wrong with the file.
    public init(path: String) throws(PipelineError) {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw .inputOutput("\(path): cannot be read; check its permissions")
        }
        try self.init(data: data, path: path)
    }

    init(data: Data, path: String) throws(PipelineError) {
        struct Header: Decodable { let schema: String }
        let remedy = "delete it, or make it again with 'omnicache calibrate --force'"
        guard let header = try? JSONDecoder().decode(Header.self, from: data) else {
            throw .badData("\(path): no calibration, or one that was cut short; \(remedy)")
        }
        guard header.schema == Self.currentSchema else {
            throw .badData("\(path): schema '\(header.schema)', and only \(Self.currentSchema) can be read; \(remedy)")
        }
        guard let file = try? JSONDecoder().decode(CalibrationFile.self, from: data),
            file.checksum == file.expectedChecksum, !file.items.isEmpty
        else {
            throw .badData("\(path): was edited or damaged (its checksum does not fit); \(remedy)")
        }
        self = file
    }
}
