import Caching
import FoundationEssentials
import Sampling

/// A reuse plan in a file, with the model and the settings that it is for: alone enough to make the same images.
public struct PlanFile: Codable, Equatable, Sendable {
    /// The format of the file.
    public static let currentSchema = "omnicache.plan/1"

    /// The format.
    public let schema: String
    /// The model that the plan is for.
    public let model: ImageRecord.Model
    /// The run that the plan is for.
    public let settings: SampleSettings
    /// The decisions and the forecaster.
    public let reuse: ReuseRecord
    /// The evaluations of one image.
    public let evaluations: Int
    /// The evaluations of one image when nothing is reused.
    public let evaluationsFull: Int
    /// The SHA-256 of the rest, so that a file that was edited or cut short is told from a whole one.
    public let checksum: String

    /// A plan for a model and a run.
    public init(model: ImageRecord.Model, settings: SampleSettings, reuse: ReuseRecord) {
        let draft = PlanFile(model: model, settings: settings, reuse: reuse, checksum: "")
        self.init(model: model, settings: settings, reuse: reuse, checksum: draft.expectedChecksum)
    }

    private init(model: ImageRecord.Model, settings: SampleSettings, reuse: ReuseRecord, checksum: String) {
        schema = Self.currentSchema
        self.model = model
        self.settings = settings
        self.reuse = reuse
        evaluations = reuse.decisions.evaluations
        evaluationsFull = reuse.decisions.fullEvaluations
        self.checksum = checksum
    }

    /// The hash of everything that the file says, but for the hash.
    private var expectedChecksum: String {
        SHA256.hexadecimal(
            ImageRecord.canonical(PlanFile(model: model, settings: settings, reuse: reuse, checksum: "")))
    }

    /// The file's bytes: the same for the same plan.
    public var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Finite numbers and texts always can be encoded.
        return [UInt8]((try? encoder.encode(self)) ?? Data()) + [UInt8(ascii: "\n")]
    }
}

extension PlanFile {
    /// Reads a plan.
    ///
    /// - Throws: ``PipelineError`` that says in one line what is wrong with the file.
    public init(path: String) throws(PipelineError) {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw .missingInput("\(path): no such plan; make one with 'omnicache plan'")
        }
        guard !isDirectory else { throw .badData("\(path): is a directory, not a plan") }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw .inputOutput("\(path): cannot be read; check its permissions")
        }
        try self.init(data: data, path: path)
    }

    /// Reads a plan from the bytes of the file at `path`.
    init(data: Data, path: String) throws(PipelineError) {
        struct Header: Decodable { let schema: String }
        let remedy = "make it again with 'omnicache plan'"
        guard let header = try? JSONDecoder().decode(Header.self, from: data) else {
            throw .badData("\(path): no plan, or one that was cut short; \(remedy)")
        }
        guard header.schema == Self.currentSchema else {
            throw .badData("\(path): schema '\(header.schema)', and only \(Self.currentSchema) can be read; \(remedy)")
        }
        let file: PlanFile
        do {
            file = try JSONDecoder().decode(PlanFile.self, from: data)
        } catch let error as PlanError {
            throw .badData("\(path): \(error); \(remedy)")
        } catch {
            throw .badData("\(path): damaged; \(remedy)")
        }
        guard file.checksum == file.expectedChecksum, file.evaluations == file.reuse.decisions.evaluations,
            file.evaluationsFull == file.reuse.decisions.fullEvaluations
        else {
            throw .badData("\(path): was edited or damaged (its checksum does not fit); \(remedy)")
        }
        self = file
    }

    /// Checks that the plan is for this model and run.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` that names what differs.
    public func check(
        model: ImageRecord.Model, settings: SampleSettings, schedule: RunSchedule, path: String
    ) throws(PipelineError) {
        let remedy = "make one for this run with 'omnicache plan'"
        guard self.model.isSame(as: model) else {
            throw .badData(
                "\(path): the plan is for model \(self.model.name) (\(self.model.hash.prefix(10))…), not for "
                    + "\(model.name) (\(model.hash.prefix(10))…); \(remedy)")
        }
        let differences = [
            (self.settings.steps != settings.steps)
                ? "\(self.settings.steps) steps, not \(settings.steps)" : nil,
            (self.settings.sampler != settings.sampler)
                ? "sampler \(self.settings.sampler.kind.rawValue), not \(settings.sampler.kind.rawValue), or other "
                    + "options of it" : nil,
            (self.settings.guidanceScale != settings.guidanceScale)
                ? "guidance \(self.settings.guidanceScale), not \(settings.guidanceScale)" : nil,
            (self.settings.guidedChannels != settings.guidedChannels)
                ? "guidance of other channels" : nil,
        ].compactMap { $0 }
        guard differences.isEmpty else {
            throw .badData("\(path): the plan is for \(differences.joined(separator: "; for ")); \(remedy)")
        }
        do throws(PlanError) {
            _ = try reuse.forecaster(for: schedule)
        } catch {
            throw .badData("\(path): \(error); \(remedy)")
        }
    }
}
