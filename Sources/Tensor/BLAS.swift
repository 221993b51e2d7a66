import COpenBLAS

/// The one door to OpenBLAS.
///
/// OpenBLAS is set to one thread when the door is first used: its own threading is poor at small shapes, and calls
/// from several threads at once are safe only when each is single-threaded.
public enum BLAS {
    /// What OpenBLAS says of itself: its version and build options. Asked for once: OpenBLAS puts the text together in
    /// memory that all threads share.
    public static let configuration = configured ? String(cString: openblas_get_config()) : ""

    /// The processor family whose kernels OpenBLAS has chosen, e.g. `SkylakeX`.
    public static let coreName = configured ? String(cString: openblas_get_corename()) : ""

    /// The processors that this process may run on, as OpenBLAS counts them from the affinity mask.
    static var processorCount: Int { max(1, Int(openblas_get_num_procs())) }

    /// Whether OpenBLAS computes with its kernels for AVX-512. They have what the others lack:
    ///
    /// - an element has the same bits in every product of more than ``directLimit`` multiplications that contains its
    ///   row and its column, however large it is;
    /// - a product of fewer is made without packing its operands, by kernels that are fastest when nothing is read
    ///   transposed.
    static let hasWideKernels = ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(coreName)

    /// The most multiplications of a product that the kernels for AVX-512 may make without packing.
    static let directLimit = 1_000_000

    private static let configured: Bool = {
        openblas_set_num_threads(1)
        return true
    }()

    /// Whether a matrix operand is read as it lies in memory or transposed.
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
        precondition(configured)
        cblas_sgemm(
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
        precondition(configured)
        cblas_dsyrk(
            CblasRowMajor, CblasUpper, CblasNoTrans, blasint(n), blasint(k), 1, a, blasint(lda), 1, c, blasint(ldc))
    }
}
