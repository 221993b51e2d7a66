import COpenBLAS
import COpenBLASLoader
import Glibc
import Synchronization

/// The only access to OpenBLAS, which is loaded when it is first needed.
///
/// OpenBLAS is set to one thread before it starts: its own threading is poor at small shapes, calls from several threads
/// at once are safe only when each is single-threaded, and every thread of its own would take a buffer of 128 MiB.
public enum BLAS {
    private static let name = "libopenblas.so.0"
    /// The address space that it takes with the libraries that it needs, rounded up.
    private static let libraryBytes = 64 << 20

    /// Opens OpenBLAS, if it is not open yet.
    ///
    /// Call this before anything else here to get an error instead of a trap where there is no OpenBLAS; loading a model
    /// does.
    ///
    /// - Throws: ``MachineError`` when the library is not there, or `OPENBLAS_CORETYPE` names kernels that cannot run here.
    public static func open() throws(MachineError) {
        _ = try library.get()
    }

    private static let library: Result<openblas_functions, MachineError> = {
        let asked = environment("OPENBLAS_CORETYPE")
        if let lacking = asked.flatMap({ lacking(for: $0, on: .present) }) { return .failure(lacking) }
        // OpenBLAS reads these while it is loaded: it starts its threads, and chooses its kernels.
        var settings = [("OPENBLAS_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "1")]
        if asked == nil,
            let family = KernelFamily.toAskFor(on: .present, isIntel: openblas_processor_is_intel() != 0)
        {
            settings.append(("OPENBLAS_CORETYPE", family.name))
        }
        let before = settings.map { ($0.0, environment($0.0)) }
        for (variable, value) in settings { setenv(variable, value, 1) }
        var functions = openblas_functions()
        let problem = openblas_open(name, &functions).map { String(cString: $0) }
        for (variable, value) in before {
            if let value { setenv(variable, value, 1) } else { unsetenv(variable) }
        }
        if let problem {
            // The loader does not say that a limit was too low.
            do throws(MachineError) {
                try AddressSpace.require(libraryBytes, for: "OpenBLAS")
            } catch {
                return .failure(error)
            }
            return .failure(.unusableLibrary(name: "OpenBLAS", package: "libopenblas0", reason: problem))
        }
        functions.set_num_threads(1)
        return .success(functions)
    }()

    /// The functions of the library; reading them where there is none is a programming error.
    private static let functions: openblas_functions = {
        switch library {
        case .success(let functions): functions
        case .failure(let error): preconditionFailure("BLAS.open() was not called: \(error)")
        }
    }()

    private static func environment(_ variable: String) -> String? {
        getenv(variable).map { String(cString: $0) }
    }

    /// Why the kernels that `OPENBLAS_CORETYPE` names cannot run on a processor; nil if they can, or if OpenBLAS does not
    /// know them and chooses itself.
    static func lacking(for name: String, on features: ProcessorFeatures) -> MachineError? {
        guard let family = KernelFamily.named(name), !features.isSuperset(of: family.needs) else { return nil }
        return .unusableKernels(name: name, lacks: family.needs.subtracting(features).text)
    }

    // MARK: - What it is

    /// OpenBLAS's version and build options. Read once: OpenBLAS puts the text together in memory that all threads share.
    public static let configuration = functions.get_config().map { String(cString: $0) } ?? ""

    /// The processor family whose kernels OpenBLAS has chosen, e.g. `SkylakeX`.
    public static let coreName = functions.get_corename().map { String(cString: $0) } ?? ""

    /// Which kernels run, and which faster ones this processor could run.
    public static var kernels: KernelChoice {
        KernelChoice(running: coreName, asked: environment("OPENBLAS_CORETYPE"), features: .present)
    }

    /// Whether OpenBLAS computes with its kernels for AVX-512. They have what the others lack:
    ///
    /// - an element has the same bits in every product of more than ``directLimit`` multiplications that contains its
    ///   row and its column, however large it is;
    /// - a product of fewer is made without packing its operands, by kernels that are fastest when nothing is read
    ///   transposed.
    static let hasWideKernels = ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(coreName)

    /// The most multiplications of a product that the kernels for AVX-512 may make without packing.
    static let directLimit = 1_000_000

    /// Whether OpenBLAS makes a product without packing its operands, where B is read transposed.
    ///
    /// Source: https://github.com/OpenMathLib/OpenBLAS (kernel/x86_64/sgemm_small_kernel_permit_skylakex.c).
    static func isDirect(m: Int, n: Int, k: Int) -> Bool {
        hasWideKernels && m * n <= 1200 && m * n * k <= directLimit
    }

    // MARK: - Products

    /// Whether a matrix operand is read as stored or transposed.
    public enum Operand {
        case plain
        case transposed
    }

    /// C (m, n) = `alpha` A (m, k) B (k, n), all row-major; B may be given as (n, k) to be read transposed.
    ///
    /// `lda`, `ldb` and `ldc` are the distances between rows; `adding` adds the product to what C holds. Runs on the
    /// calling thread.
    @inline(__always)
    public static func multiply(
        m: Int, n: Int, k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, lda: Int,
        _ b: UnsafePointer<Float>, ldb: Int, _ operandB: Operand = .plain,
        into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool = false
    ) {
        functions.sgemm(
            CblasRowMajor, CblasNoTrans, operandB == .plain ? CblasNoTrans : CblasTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), adding ? 1 : 0, c, blasint(ldc)
        )
    }

    /// Adds A (n, k) Aᵀ to C (n, n) in double precision, both row-major; only C's upper triangle is touched.
    ///
    /// Runs on the calling thread.
    public static func addOuterProduct(
        n: Int, k: Int, _ a: UnsafePointer<Double>, lda: Int, into c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        functions.dsyrk(
            CblasRowMajor, CblasUpper, CblasNoTrans, blasint(n), blasint(k), 1, a, blasint(lda), 1, c, blasint(ldc))
    }
}

// MARK: - Buffers

extension BLAS {
    /// The address space of a buffer; every product in progress holds one. Where there is none left, OpenBLAS retries its
    /// allocation for ever.
    private static let bufferBytes = 128 << 20
    /// What a thread takes in addition: its stack, at the usual size, and what OpenBLAS keeps next to the buffer.
    private static let threadBytes = 9 << 20

    /// Takes the buffers of as many products at a time as there is room for, before the first one needs them; they serve
    /// all products from then on.
    ///
    /// - Parameters:
    ///   - threads: how many products may be made at the same time.
    ///   - bytes: the memory that must be left, in addition to a small reserve.
    ///   - each: the memory that must be left for each thread.
    ///   - purpose: what needs it, as the subject of "PURPOSE takes 5 MB".
    /// - Returns: how many products may be made at the same time, at least 1.
    /// - Throws: ``MachineError`` when there is no OpenBLAS, or no room for a single one.
    public static func reserve(
        threads: Int, leaving bytes: Int, each: Int = 0, for purpose: String
    ) throws(MachineError) -> Int {
        let functions = try library.get()
        guard let take = functions.memory_alloc, let give = functions.memory_free else { return threads }
        // Beyond its first table of buffers OpenBLAS warns; more are of no use where memory is short.
        let wanted = AddressSpace.isLimited ? min(threads, mostBuffers) : threads
        var taken: [UnsafeMutableRawPointer] = []
        defer { taken.forEach(give) }
        while taken.count < min(max(1, wanted), mostBuffers) {
            let left = bytes + each * (taken.count + 1) + AddressSpace.reserve
            // A buffer that the library has already costs nothing.
            let needed = taken.count < reserved.load(ordering: .relaxed) ? left : left + bufferBytes + threadBytes
            if taken.isEmpty {
                try AddressSpace.require(needed, for: purpose)
            } else if !AddressSpace.canMap(needed) {
                break
            }
            guard let buffer = take(0) else { break }
            taken.append(buffer)
        }
        reserved.store(max(taken.count, reserved.load(ordering: .relaxed)), ordering: .relaxed)
        return taken.count == mostBuffers ? max(1, wanted) : max(1, taken.count)
    }

    /// How many buffers are taken at the most.
    private static let mostBuffers = 64

    /// How many buffers the library has.
    private static let reserved = Atomic<Int>(0)
}
