import ArgumentParser

/// A time, as seconds or with a unit: 90, 1.5s, 10m or 2h.
struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]

    init?(argument: String) {
        let unit = argument.last.flatMap { Self.units[$0] }
        guard let number = Double(unit == nil ? argument[...] : argument.dropLast()), number > 0, number <= 1e9 else {
            return nil
        }
        duration = .seconds(number * (unit ?? 1))
    }
}
