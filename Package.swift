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
        // MARK: - System libraries
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CLAPACKE", pkgConfig: "lapacke", providers: [.apt(["liblapacke-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: - Libraries, ground floor first
        .target(name: "Tensor", dependencies: ["COpenBLAS"]),
        .target(name: "Models", dependencies: ["Tensor"]),
        .target(name: "Sampling", dependencies: ["Tensor"]),
        .target(name: "OmniCache", dependencies: ["Tensor", "Sampling", "CLAPACKE"]),
        .target(name: "Imaging", dependencies: ["CZlib"]),
        .target(name: "Pipeline", dependencies: ["Tensor", "Models", "Sampling", "OmniCache", "Imaging"]),

        // MARK: - The command line
        .executableTarget(
            name: "omnicache",
            dependencies: [
                "Pipeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: - Tests
        .target(name: "TestSupport", dependencies: ["Models", "Tensor"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorTests", dependencies: ["Tensor", "TestSupport", "CLAPACKE"]),
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
