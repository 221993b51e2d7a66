// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "omnicache",
    products: [
        .executable(name: "omnicache", targets: ["omnicache"]),
        .library(name: "OmniCacheKit", targets: ["Tensor", "Models", "Sampling", "OmniCache", "Imaging", "Pipeline"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // MARK: - System libraries; OpenBLAS and LAPACKE are opened at run time
        .target(name: "COpenBLAS"),
        .target(name: "CLAPACKE"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // MARK: - What Swift cannot say: signal handlers and allocation
        .target(name: "CMappedFiles"),
        .target(name: "CAllocation"),

        // MARK: - Libraries, ground floor first
        .target(name: "Tensor", dependencies: ["COpenBLAS"]),
        .target(name: "Models", dependencies: ["Tensor", "CMappedFiles"]),
        .target(name: "Sampling", dependencies: ["Tensor"]),
        .target(name: "OmniCache", dependencies: ["Tensor", "Sampling", "CLAPACKE"]),
        .target(name: "Imaging", dependencies: ["CZlib"]),
        .target(name: "Pipeline", dependencies: ["Tensor", "Models", "Sampling", "OmniCache", "Imaging", "CCrypto"]),

        // MARK: - The command line
        .executableTarget(
            name: "omnicache",
            dependencies: [
                "Pipeline", "CAllocation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: - Tests
        .target(name: "TestSupport", dependencies: ["Models", "Tensor"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorTests", dependencies: ["Tensor", "TestSupport"]),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Tensor", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(
            name: "SamplingTests", dependencies: ["Sampling", "Tensor", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(name: "OmniCacheTests", dependencies: ["OmniCache", "Sampling", "Tensor", "TestSupport"]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "TestSupport"]),
        .testTarget(
            name: "PipelineTests",
            dependencies: ["Pipeline", "OmniCache", "Imaging", "Models", "Sampling", "Tensor", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["Imaging", "Models", "Pipeline", "Tensor", "TestSupport", "omnicache"]),

        // MARK: - Damaged files
        .target(name: "FuzzHarness", dependencies: ["CZlib", "TestSupport"], path: "Tests/FuzzHarness"),
        .executableTarget(
            name: "fuzz-readers",
            dependencies: [
                "FuzzHarness", "Imaging", "Models", "OmniCache", "Pipeline", "Sampling", "Tensor", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/FuzzReaders"),
        .testTarget(
            name: "FuzzHarnessTests",
            dependencies: ["FuzzHarness", "Imaging", "Models", "Tensor", "TestSupport", "fuzz-readers"]),
    ]
)
