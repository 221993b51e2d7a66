// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "omnicache",
    products: [
        .library(name: "OmniCacheKit", targets: ["Tensor"])
    ],
    targets: [
        // MARK: - System libraries
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CLAPACKE", pkgConfig: "lapacke", providers: [.apt(["liblapacke-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: - Libraries, ground floor first
        .target(name: "Tensor", dependencies: ["COpenBLAS"]),
        .target(name: "Sampling", dependencies: ["Tensor"]),

        // MARK: - Tests
        .target(name: "TestSupport", dependencies: ["Tensor"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorTests", dependencies: ["Tensor", "TestSupport"]),
        .testTarget(
            name: "SamplingTests", dependencies: ["Sampling", "Tensor", "TestSupport"], resources: [.copy("Golden")]),
    ]
)
