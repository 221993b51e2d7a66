import FoundationEssentials
import Media
import Models

/// Where calibrations are kept: in the model directory when they were shipped with it, else in the user's cache folder.
///
/// A calibration's file is named by the hash of its model and settings, so it is found again by what it is for, and one
/// for another model, sampler, step count or guidance never is.
public struct CalibrationStore: Sendable {
    /// The folder in a model directory.
    static let folder = "calibrations"
    /// Part of the name where the sampler clips x0: fits that did not know of it must not be found.
    private static let clippedFits = 2
    /// The same where some channels are not guided.
    private static let unguidedFits = 3

    /// The settings that are calibrated: those of all samplers that take the same path.
    let settings: SampleSettings
    private let model: ImageRecord.Model
    private let conditions: ConditionKind
    private let shipped: String
    private let cached: String?

    /// The places for one model and its settings.
    public init(directory: ModelDirectory, settings: SampleSettings) {
        model = directory.reference()
        conditions = directory.conditions
        var settings = settings
        settings.sampler = settings.sampler.onSamePath(for: directory.process)
        self.settings = settings
        struct Key: Encodable {
            let model: String
            let configuration: String
            let settings: SampleSettings
            let fits: Int?
        }
        let key = SHA256.hexadecimal(
            CanonicalJSON.data(
                Key(
                    model: model.hash, configuration: model.configuration, settings: settings,
                    fits: Self.fits(under: settings))))
        let name = "\(settings.sampler.kind.rawValue)-\(settings.steps)-\(key.prefix(16)).json"
        shipped = "\(directory.path)/\(Self.folder)/\(name)"
        cached = UserCache.folder(Self.folder).map { "\($0)/\(name)" }
    }

    private static func fits(under settings: SampleSettings) -> Int? {
        if settings.guidedChannels != nil, settings.guidanceScale != 1 { return unguidedFits }
        return settings.sampler.clip == nil ? nil : clippedFits
    }

    /// The calibration for the model and the settings, with its path; that of the cache folder wins, being newer.
    ///
    /// - Parameter onlyShipped: Whether only that of the model directory is looked for.
    /// - Returns: nil when there is none.
    /// - Throws: ``PipelineError`` when there is a file that cannot be used.
    public func load(shipped onlyShipped: Bool = false) throws(PipelineError) -> (file: CalibrationFile, path: String)?
    {
        for path in [onlyShipped ? nil : cached, shipped].compactMap({ $0 })
        where FileManager.default.fileExists(atPath: path) {
            let file = try CalibrationFile(path: path)
            guard file.isFor(model, settings) else {
                throw .badData(
                    "\(path): the calibration is for other settings or another model than its name says; "
                        + CalibrationFile.remedy)
            }
            do throws(PipelineError) {
                _ = try WorkList(items: file.items, of: conditions)
            } catch {
                throw .badData("\(path): \(error); \(CalibrationFile.remedy)")
            }
            return (file, path)
        }
        return nil
    }

    /// Finds out, before any work is done, whether a calibration can be kept.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when it cannot.
    public func check(ships: Bool) throws(PipelineError) {
        let path = try place(ships: ships)
        try Standing.checkFolder(of: path)
        _ = try Standing(of: path, hash: "", replaces: true) { _ in nil }
    }

    /// The path of the file, in a folder that exists.
    private func place(ships: Bool) throws(PipelineError) -> String {
        guard let path = ships ? shipped : cached else {
            throw .cannotCreate("there is no cache folder to keep the calibration in; set HOME or XDG_CACHE_HOME")
        }
        guard UserCache.makeFolder(of: path) else {
            throw .cannotCreate(
                "\(path): the folder for calibrations cannot be made; "
                    + (ships ? "the model directory must be writable" : "set XDG_CACHE_HOME to one that is writable"))
        }
        return path
    }

    /// Keeps a calibration.
    ///
    /// - Parameters:
    ///   - file: The calibration, for this model and these settings.
    ///   - ships: Whether it goes into the model directory.
    /// - Returns: The path.
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when there is no place for it, or ``FileError``.
    @discardableResult
    public func save(_ file: CalibrationFile, ships: Bool = false) throws -> String {
        let path = try place(ships: ships)
        try AtomicFile.writeResult(file.bytes, to: path, replaces: true)
        return path
    }
}
