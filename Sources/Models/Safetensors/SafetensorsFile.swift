import Tensor

/// A memory-mapped safetensors file, every offset and shape of which has been checked.
///
/// Source: https://github.com/huggingface/safetensors#format
public final class SafetensorsFile: Sendable {
    /// The tensors, in the order of their bytes.
    public let entries: [SafetensorsEntry]
    /// The free texts that the header carries under `__metadata__`.
    public let metadata: [String: String]

    private let file: MappedFile
    private let dataStart: Int
    private let entriesByName: [String: SafetensorsEntry]

    /// The path that was opened.
    public var path: String { file.path }

    /// Maps the file at `path` and checks its header.
    ///
    /// - Throws: ``SafetensorsError`` when the file is missing, unreadable, of another format, or malformed.
    public init(path: String) throws(SafetensorsError) {
        file = try MappedFile(path: path)
        let header = try SafetensorsHeader(fileBytes: file.bytes, path: path)
        entries = header.entries
        metadata = header.metadata
        dataStart = header.dataStart
        entriesByName = Dictionary(header.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What the header says about the tensor `name`; nil when there is none.
    public func entry(_ name: String) -> SafetensorsEntry? {
        entriesByName[name]
    }

    /// Loads a tensor, widened to `Float`.
    ///
    /// - Parameters:
    ///   - name: the tensor's name in the file.
    ///   - shape: the shape that it must have; nil accepts any.
    /// - Returns: a new tensor of the stored shape.
    /// - Throws: ``SafetensorsError`` when it is missing, has another shape, cannot be widened, or is not finite.
    public func tensor(_ name: String, shape: [Int]? = nil) throws(SafetensorsError) -> Tensor {
        guard let entry = entriesByName[name] else { throw .missingTensor(path: path, tensor: name) }
        try check(entry, shape: shape ?? entry.shape)
        let tensor = Tensor(entry.shape)
        try read(entry, into: tensor.values)
        return tensor
    }

    /// Another text once the file is another or has been written to; the same for every name of one file.
    public var identity: String { file.identity }

    /// Gives `body` all bytes of the file.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(file) { try body(file.bytes) }
    }

    /// Checks that the tensor of `entry` has the given shape and can be widened.
    func check(_ entry: SafetensorsEntry, shape: [Int]) throws(SafetensorsError) {
        guard entry.shape == shape else {
            throw .wrongShape(path: path, tensor: entry.name, expected: shape, found: entry.shape)
        }
        guard entry.elementType.isLoadable else {
            throw .unsupportedElementType(path: path, tensor: entry.name, found: entry.elementType.rawValue)
        }
    }

    /// Widens the tensor of `entry`, which has passed ``check(_:shape:)``, into `destination`, which has its count.
    func read(_ entry: SafetensorsEntry, into destination: UnsafeMutableBufferPointer<Float>) throws(SafetensorsError) {
        precondition(destination.count == entry.count, "\(destination.count) elements cannot hold \(entry.shape)")
        guard
            let source = file.bytes.baseAddress.map({ $0 + dataStart + entry.range.lowerBound }),
            let target = destination.baseAddress
        else { return }
        switch entry.elementType {
        case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: entry.range.count)
        case .f16: FloatWidening.float16(source, into: target, count: entry.count)
        case .bf16: FloatWidening.bfloat16(source, into: target, count: entry.count)
        default: preconditionFailure("\(entry.elementType) has not been checked")
        }
        guard FloatWidening.areFinite(UnsafeBufferPointer(destination)) else {
            let index = destination.firstIndex { !$0.isFinite } ?? 0
            throw .notFinite(path: path, tensor: entry.name, index: index)
        }
    }
}
