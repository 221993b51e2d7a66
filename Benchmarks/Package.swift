// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never build it.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "omnicache", path: "..")],
    targets: [
        .executableTarget(
            name: "benchmark", dependencies: [.product(name: "OmniCacheKit", package: "omnicache")])
    ]
)
