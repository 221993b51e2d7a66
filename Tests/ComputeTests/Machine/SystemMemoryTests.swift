import Testing

@testable import Compute

/// The memory that can be had, from the kernel's files.
@Suite struct SystemMemoryTests {
    private static let plenty = "MemTotal: 16000 kB\nMemAvailable: 10000 kB\nSwapFree: 0 kB\n"
    private static let unified = "24 1 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let memoryMount = "30 1 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
    private static let kilo = 1024

    private static func job(_ file: String) -> String { "/sys/fs/cgroup/job/memory.\(file)" }

    private func memory(_ files: [String: String]) -> SystemMemory { SystemMemory { files[$0] } }

    /// A machine with 10,000 kB, and groups of version 2.
    private func grouped(_ path: String, _ groups: [String: String], swap: Int = 0) -> SystemMemory {
        var files = groups
        files["/proc/meminfo"] = Self.plenty.replacing("SwapFree: 0", with: "SwapFree: \(swap)")
        files["/proc/self/mountinfo"] = Self.unified
        files["/proc/self/cgroup"] = "0::\(path)\n"
        return memory(files)
    }

    @Test func `without groups, what the kernel says is there`() {
        let found = memory(["/proc/meminfo": "MemAvailable: 10000 kB\nSwapFree: 500 kB\n"])
        #expect(found.free == 10_000 * Self.kilo && found.freeWithSwap == 10_500 * Self.kilo)
    }

    @Test func `where nothing can be read, nothing is limited`() {
        #expect(memory([:]).free == .max && memory([:]).freeWithSwap > 1 << 60)
        #expect(memory(["/proc/meminfo": "nonsense\n\n: :"]).free == .max)
    }

    @Test func `a group leaves its limit without what is in use`() {
        let found = grouped("/job", [Self.job("max"): "4000000\n", Self.job("current"): "1500000\n"])
        #expect(found.free == 2_500_000 && found.freeWithSwap == 2_500_000)
    }

    @Test func `pages of files count as free`() {
        let found = grouped(
            "/job",
            [
                Self.job("max"): "4000000\n", Self.job("current"): "3900000\n",
                Self.job("stat"): "anon 900000\nfile 3000000\nactive_file 1000000\ninactive_file 2000000\n",
            ])
        #expect(found.free == 3_100_000)
    }

    @Test(arguments: ["/a", "/a/b", "/a/b/c"])
    func `the limit of every group around holds, and the smallest wins`(limited: String) {
        let found = grouped(
            "/a/b/c",
            [
                "/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
                "/sys/fs/cgroup/a/b/c/memory.max": "9000000\n",
            ].merging(["/sys/fs/cgroup\(limited)/memory.max": "700000\n"]) { $1 })
        #expect(found.free == 700_000)
    }

    @Test func `a group that is over its limit leaves nothing`() {
        let found = grouped("/job", [Self.job("max"): "100", Self.job("current"): "101"])
        #expect(found.free == 0)
    }

    @Test func `memory.high slows down, memory.max ends`() {
        let found = grouped("/job", [Self.job("max"): "5000000", Self.job("high"): "1000000"])
        #expect(found.free == 1_000_000 && found.freeWithSwap == 5_000_000)
        #expect(grouped("/job", [Self.job("high"): "1000000"]).free == 1_000_000)
    }

    @Test func `swap counts as far as the group may use it`() {
        let groups = [Self.job("max"): "1000000"]
        #expect(grouped("/job", groups, swap: 1000).freeWithSwap == 1_000_000 + 1000 * Self.kilo)
        let none = groups.merging([Self.job("swap.max"): "0"]) { $1 }
        #expect(grouped("/job", none, swap: 1000).freeWithSwap == 1_000_000)
    }

    @Test func `a container that sees its own group as the root finds its limit`() {
        let files = [
            "/proc/meminfo": Self.plenty, "/sys/fs/cgroup/memory.max": "300000\n", "/proc/self/cgroup": "0::/\n",
        ]
        #expect(memory(files.merging(["/proc/self/mountinfo": Self.unified]) { $1 }).free == 300_000)
        // Docker without a name space of groups: the path is the host's, the mount shows the container's group.
        let docker = [
            "/proc/self/cgroup": "0::/docker/12ab\n",
            "/proc/self/mountinfo": "24 1 0:22 /docker/12ab /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
        ]
        #expect(memory(files.merging(docker) { $1 }).free == 300_000)
        // Where /proc/self/mountinfo cannot be read, the usual place is looked at.
        #expect(memory(files).free == 300_000)
    }

    @Test func `groups of version 1 limit memory, and memory with swap`() {
        let (all, job) = ("/sys/fs/cgroup/memory/slurm/memory", "/sys/fs/cgroup/memory/slurm/uid_1/job_2/memory")
        let files = [
            "/proc/meminfo": Self.plenty.replacing("SwapFree: 0", with: "SwapFree: 8000"),
            "/proc/self/mountinfo": Self.memoryMount,
            "/proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/slurm/uid_1/job_2\n0::/\n",
            "\(job).limit_in_bytes": "2000000\n",
            "\(job).usage_in_bytes": "1500000\n",
            "\(job).stat": "cache 9\ntotal_inactive_file 400000\ntotal_active_file 100000\n",
            "\(all).limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(memory(files).free == 1_000_000 && memory(files).freeWithSwap == 1_000_000 + 8000 * Self.kilo)
        let swap = [
            "\(job).memsw.limit_in_bytes": "2500000\n",
            "\(job).memsw.usage_in_bytes": "1500000\n",
        ]
        #expect(memory(files.merging(swap) { $1 }).freeWithSwap == 1_500_000)
    }

    @Test func `what does not fit is refused in one line that says how much is needed and there`() {
        #expect(throws: Never.self) { try SystemMemory.require(1 << 20, for: "a test") }
        let error = #expect(throws: MachineError.self) { try SystemMemory.require(1 << 58, for: "a test") }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("a test takes 288230376152 MB") && text.contains("there is room for"))
        #expect(!text.contains("\n"))
    }

    @Test func `a product's buffers are taken for at least one thread`() throws {
        #expect(try BLAS.reserve(threads: 2, leaving: 0, for: "a test") >= 1)
        #expect(try BLAS.reserve(threads: 0, leaving: 0, for: "a test") == 1)
        #expect(throws: MachineError.self) { try BLAS.reserve(threads: 1, leaving: 1 << 58, for: "a test") }
    }
}
