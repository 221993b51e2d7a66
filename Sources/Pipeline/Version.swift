import Compute

/// What made an image: stored beside its settings, and no part of them.
public struct LibraryVersions: Codable, Equatable, Sendable {
    /// The version of omnicache.
    public static let omnicache = "0.1.0"

    /// The version of omnicache that made the image.
    public let omnicache: String
    /// What OpenBLAS said of its version and build.
    public let openblas: String
    /// The processor family whose kernels OpenBLAS used; results agree to the last bit only within one.
    public let core: String

    /// The versions of this process.
    public static let current = LibraryVersions(
        omnicache: omnicache, openblas: BLAS.configuration, core: BLAS.coreName)
}
