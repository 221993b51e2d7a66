import Compute
import Pipeline
import Synchronization
import Testing

/// What every image says of the libraries that made it.
@Suite struct VersionTests {
    @Test func `threads that ask at once get the same versions`() {
        let expected = LibraryVersions.current
        let others = Atomic<Int>(0)
        Workers(count: 4).run(tasks: 20_000) { _, _ in
            if LibraryVersions.current != expected { others.add(1, ordering: .relaxed) }
        }
        #expect(others.load(ordering: .relaxed) == 0)
        #expect(expected.openblas.contains("OpenBLAS"))
    }
}
