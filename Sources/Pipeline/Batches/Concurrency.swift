import Compute
import Glibc

/// How many images are in flight, and with how many threads each.
struct Concurrency: Equatable, Sendable {
    /// The threads of each image in flight.
    let workers: [Workers]
    /// How many pictures may be decoded at the same time.
    let decoders: Int

    /// How much slower k threads on one image are than k times one thread, for each thread beyond the first. On two
    /// threads, twelve images of the embedded model took 1.17 to 1.56 times as long one by one as two at a time.
    private static let loss = 0.15
    /// The share of the free memory that images in flight may take together.
    private static let memoryShare = 0.5

    /// Divides `threads` among images.
    ///
    /// - Parameters:
    ///   - asked: how many images in flight were asked for; nil for as many as is fastest and fits.
    ///   - threads: all threads.
    ///   - images: how many images there are to make.
    ///   - bytes: the memory that one image in flight takes, and that decoding one takes.
    ///   - free: the free memory.
    init(asked: Int?, threads: Int, images: Int, bytes: (run: Int, decoding: Int), free: Int) {
        let allowed = Int(Double(free) * Self.memoryShare)
        let fitting = max(1, (allowed - bytes.decoding) / max(1, bytes.run))
        let count = max(1, asked ?? min(fitting, Self.fastest(threads: threads, images: images)))
        workers = (0..<count).map { Workers(count: threads / count + ($0 < threads % count ? 1 : 0)) }
        let left = allowed - count * bytes.run
        decoders = max(1, min(count, left / max(1, bytes.decoding)))
    }

    /// The number of images in flight that takes the least time, the most if there are several.
    private static func fastest(threads: Int, images: Int) -> Int {
        func time(_ count: Int) -> Double {
            let each = Double(threads / count)
            return (Double(images) / Double(count)).rounded(.up) * (1 + loss * (each - 1)) / each
        }
        return (1...max(1, min(threads, images))).reversed().min { time($0) < time($1) } ?? 1
    }

    /// Runs `body` for every image in flight, each on a thread of its own, and returns when all have returned.
    ///
    /// Where the system gives fewer threads, `body` runs fewer times; with slot 0 it always does.
    func run(_ body: @Sendable @escaping (_ slot: Int) -> Void) {
        var threads: [pthread_t] = []
        for slot in workers.indices.dropFirst() {
            let work = Unmanaged.passRetained(Work { body(slot) })
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    argument.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
                    return nil
                }, work.toOpaque())
            guard status == 0 else {
                work.release()
                break
            }
            threads.append(thread)
        }
        body(0)
        for thread in threads { pthread_join(thread, nil) }
    }

    /// What a thread does.
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @Sendable @escaping () -> Void) {
            self.body = body
        }
    }
}
