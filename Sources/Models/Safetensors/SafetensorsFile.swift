import Compute

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

    public var path: String { file.path }

    /// Maps the file at `path` and checks its header.
    ///
    /// - Throws: ``SafetensorsError`` when the file is missing, unreadable, of another format, or malformed.
    public init(path: String) throws(SafetensorsError) {
        file = try MappedFile(path: path)
        WeightFiles.watch(file)
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
        let tensor = Tensor(uninitialized: entry.shape)
        try read(entry, into: tensor.values)
        return tensor
    }

    /// A text that is the same for every name of one file, and that changes when the file is replaced or written to, if
    /// ``awaitRest()`` was called before its bytes were read.
    public var identity: String { file.identity.text }

    /// Waits a moment if the file has just been written to: another write would not show in its times.
    public func awaitRest() { file.awaitRest() }

    /// Whether the file has not been written to since it was opened.
    public var isUnchanged: Bool { (try? file.checkUnchanged()) != nil }

    /// Gives `body` all bytes of the file, piece by piece, and their memory back to the system.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) {
        for first in stride(from: 0, to: file.bytes.count, by: Self.pieceSize) {
            let range = first..<min(first + Self.pieceSize, file.bytes.count)
            body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
            file.release(range)
        }
    }

    /// 16 MiB, a multiple of any page size.
    private static let pieceSize = 1 << 24

    /// Checks that the tensor of `entry` has the given shape and can be widened.
    func check(_ entry: SafetensorsEntry, shape: [Int]) throws(SafetensorsError) {
        guard entry.shape == shape else {
            throw .wrongShape(path: path, tensor: entry.name, expected: shape, found: entry.shape)
        }
        guard entry.elementType?.isLoadable == true else {
            throw .unsupportedElementType(path: path, tensor: entry.name, found: entry.dtype)
        }
    }

    /// Widens the tensor of `entry`, which has passed ``check(_:shape:)``, into `destination`, which has its count.
    ///
    /// The memory of what was read is given back to the system.
    func read(_ entry: SafetensorsEntry, into destination: UnsafeMutableBufferPointer<Float>) throws(SafetensorsError) {
        precondition(destination.count == entry.count, "\(destination.count) elements cannot hold \(entry.shape)")
        try read(entry, from: 0, into: destination)
    }

    /// Widens as many elements of the tensor of `entry`, which has passed ``check(_:shape:)``, as `destination` has, from
    /// element `first` on.
    ///
    /// The memory of what was read is given back to the system.
    func read(
        _ entry: SafetensorsEntry, from first: Int, into destination: UnsafeMutableBufferPointer<Float>
    ) throws(SafetensorsError) {
        precondition(first >= 0 && first + destination.count <= entry.count, "more elements than \(entry.shape) has")
        guard let source = address(of: entry), let target = destination.baseAddress else { return }
        guard let element = entry.elementType?.matrixElement else {
            preconditionFailure("\(entry.dtype) has not been checked")
        }
        let start = range(of: entry).lowerBound
        let bytes = start + first * element.size..<start + (first + destination.count) * element.size
        file.awaitRest()
        file.announce(bytes)
        defer { file.release(bytes) }
        element.widen(source + first * element.size, into: target, count: destination.count)
        guard WeightMatrix.Element.float32.areFinite(target, count: destination.count) else {
            let index = first + (destination.firstIndex { !$0.isFinite } ?? 0)
            throw .notFinite(path: path, tensor: entry.name, index: index)
        }
    }
}

// MARK: - Weights in place

extension SafetensorsFile {
    /// The tensor of `entry`, which has passed ``check(_:shape:)``, as a matrix of the given shape that is read from the
    /// mapped file.
    ///
    /// The matrix keeps the file mapped; when it is dropped, its memory is given back to the system.
    ///
    /// - Parameters:
    ///   - entry: the tensor.
    ///   - shape: (out, in).
    ///   - isChecked: whether all numbers are read, to find those that are not finite.
    /// - Returns: nil if the numbers cannot be used in place.
    /// - Throws: ``SafetensorsError/notFinite(path:tensor:index:)``.
    func matrix(
        _ entry: SafetensorsEntry, shape: [Int], isChecked: Bool
    ) throws(SafetensorsError) -> WeightMatrix? {
        guard let element = entry.elementType?.matrixElement, let source = address(of: entry),
            element != .float32 || UInt(bitPattern: source).isMultiple(of: 4)
        else { return nil }
        precondition(shape.reduce(1, *) == entry.count, "\(entry.shape) is not \(shape)")
        file.awaitRest()
        file.announce(range(of: entry))
        let matrix = WeightMatrix(
            shape: shape, element: element, address: source,
            owner: MappedRange(file: file, range: range(of: entry)), isMapped: true)
        guard !isChecked || element.areFinite(source, count: entry.count) else {
            throw .notFinite(
                path: path, tensor: entry.name, index: matrix.elements.firstIndex { !$0.isFinite } ?? 0)
        }
        return matrix
    }

    private func address(of entry: SafetensorsEntry) -> UnsafeRawPointer? {
        file.bytes.baseAddress.map { $0 + range(of: entry).lowerBound }
    }

    /// Where the tensor's bytes lie in the file.
    private func range(of entry: SafetensorsEntry) -> Range<Int> {
        dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound
    }

    /// Part of a mapped file that is in use.
    private final class MappedRange: Sendable {
        private let file: MappedFile
        private let range: Range<Int>

        init(file: MappedFile, range: Range<Int>) {
            self.file = file
            self.range = range
        }

        deinit { file.release(range) }
    }
}

extension ElementType {
    /// The same type as that of a weight matrix; nil if there is none.
    var matrixElement: WeightMatrix.Element? {
        switch self {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        default: nil
        }
    }
}
