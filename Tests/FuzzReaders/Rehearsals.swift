import Caching
import Foundation
import FuzzHarness
import Glibc

/// Readers with a fault each, on the byte 0xFF, to show that the harness finds faults. They are tried only by name.
let rehearsals: [Reader] = [
    rehearsal("rehearsal-crash") { fatalError("rehearsed") },
    rehearsal("rehearsal-exit") { exit(1) },
    rehearsal("rehearsal-hang") { while true { usleep(1000) } },
    rehearsal("rehearsal-memory") {
        let size = 1 << 29
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 1, count: size)
        memory.deallocate()
    },
    rehearsal("rehearsal-error") { throw CancellationError() },
    rehearsal("rehearsal-lines") { throw PlanError.doesNotFit("two\nlines") },
    rehearsal("rehearsal-none") {},
]

private func rehearsal(_ name: String, _ body: @escaping @Sendable () throws -> Void) -> Reader {
    Reader(name) { folder in
        let path = "\(folder)/file"
        return Subject(seeds: [Array(0..<64)], at: path, mutate: ByteMutation().mutated) {
            if try Files.read(path).contains(0xFF) { try body() }
        }
    }
}
