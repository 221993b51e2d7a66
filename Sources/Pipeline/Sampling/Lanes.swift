import Compute
import Glibc
import Models

/// How many images are made at a time, and with how many threads each.
public struct Lanes: Equatable, Sendable {
    /// The threads of each lane.
    public let workers: [Workers]
    /// How many lanes may decode a picture at the same time.
    public let decoders: Int

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
    ///   - free: the memory that is there.
    public init(asked: Int?, threads: Int, images: Int, bytes: (run: Int, decoding: Int), free: Int) {
        let allowed = Int(Double(free) * Self.memoryShare)
        let fitting = max(1, (allowed - bytes.decoding) / max(1, bytes.run))
        let lanes = max(1, asked ?? min(fitting, Self.fastest(threads: threads, images: images)))
        workers = (0..<lanes).map { Workers(count: threads / lanes + ($0 < threads % lanes ? 1 : 0)) }
        let left = allowed - lanes * bytes.run
        decoders = max(1, min(lanes, left / max(1, bytes.decoding)))
    }

    /// The number of lanes that are through first, the most if there are several.
    static func fastest(threads: Int, images: Int) -> Int {
        func time(_ lanes: Int) -> Double {
            let each = Double(threads / lanes)
            return (Double(images) / Double(lanes)).rounded(.up) * (1 + loss * (each - 1)) / each
        }
        return (1...max(1, min(threads, images))).reversed().min { time($0) < time($1) } ?? 1
    }

    /// The memory that one image in flight takes, in bytes: that of a guided run, which has two branches.
    public static func runBytes(of config: any NetworkConfiguration) -> Int {
        config.runBytes(entries: 2, workers: Workers(count: 1))
    }

    /// Runs `body` for every lane, each on a thread of its own, and returns when all are through.
    ///
    /// Where the system gives fewer threads, fewer lanes run; the first always does.
    public func run(_ body: @Sendable @escaping (_ lane: Int) -> Void) {
        var threads: [pthread_t] = []
        for lane in workers.indices.dropFirst() {
            let work = Unmanaged.passRetained(Work { body(lane) })
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
