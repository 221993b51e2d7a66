// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "omnicache",
    products: [
        .executable(name: "omnicache", targets: ["CommandLine"]),
        .library(
            name: "OmniCacheKit",
            targets: ["Compute", "Models", "Sampling", "Caching", "Media", "Reports", "Pipeline", "Evaluation"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // MARK: - System libraries; the loaders open theirs at run time
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "COpenBLASLoader", dependencies: ["COpenBLAS"]),
        .systemLibrary(name: "CLAPACKE", providers: [.apt(["liblapacke-dev"])]),
        .target(name: "CLAPACKELoader", dependencies: ["CLAPACKE"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // MARK: - What Swift cannot say: signal handlers and allocation
        .target(name: "COneDNN"),
        .target(name: "CMappedFiles"),
        .target(name: "CAllocation"),

        // MARK: - Libraries, ground floor first
        .target(name: "Compute", dependencies: ["COpenBLAS", "COpenBLASLoader", "COneDNN"]),
        .target(name: "Models", dependencies: ["Compute", "CMappedFiles"]),
        .target(name: "Sampling", dependencies: ["Compute"]),
        .target(name: "Caching", dependencies: ["Compute", "Sampling", "CLAPACKE", "CLAPACKELoader"]),
        .target(name: "Media", dependencies: ["CZlib"]),
        .target(name: "Reports", dependencies: ["Media"]),
        .target(name: "Pipeline", dependencies: ["Compute", "Models", "Sampling", "Caching", "Media", "CCrypto"]),
        .target(name: "Evaluation", dependencies: ["Pipeline", "Reports"]),

        // MARK: - The command line
        .executableTarget(
            name: "CommandLine",
            dependencies: [
                "Evaluation", "CAllocation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: - Tests
        .target(name: "TestSupport", dependencies: ["Models", "Compute"], path: "Tests/TestSupport"),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "TestSupport"]),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Compute", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(
            name: "SamplingTests", dependencies: ["Sampling", "Compute", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(name: "CachingTests", dependencies: ["Caching", "Sampling", "Compute", "TestSupport"]),
        .testTarget(name: "MediaTests", dependencies: ["Media", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(name: "ReportsTests", dependencies: ["Reports", "Media", "TestSupport"]),
        .target(
            name: "PipelineSupport", dependencies: ["Pipeline", "TestSupport"], path: "Tests/PipelineSupport",
            resources: [.copy("Golden")]),
        .testTarget(name: "PipelineTests", dependencies: ["Evaluation", "PipelineSupport"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "PipelineSupport"]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["Evaluation", "TestSupport", "CommandLine"]),

        // MARK: - Damaged files
        .target(name: "FuzzHarness", dependencies: ["CZlib", "TestSupport"], path: "Tests/FuzzHarness"),
        .executableTarget(
            name: "fuzz-readers",
            dependencies: [
                "FuzzHarness", "Evaluation", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/FuzzReaders"),
        .testTarget(
            name: "FuzzHarnessTests",
            dependencies: ["FuzzHarness", "Media", "Models", "Compute", "TestSupport", "fuzz-readers"]),
    ]
)
