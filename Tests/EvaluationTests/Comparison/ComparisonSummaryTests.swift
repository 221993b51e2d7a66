import Caching
import Foundation
import Media
import Testing

@testable import Evaluation

/// What made-up pairs say together.
@Suite struct ComparisonSummaryTests {
    private func pair(
        psnr: Double?, ssim: Double? = 1, error: Double? = 0, speedUp: Double? = nil, energy: Double? = 1,
        flicker: Double? = nil
    ) -> PairMeasure {
        PairMeasure(
            evaluations: 10, seconds: speedUp.map { 1 / $0 }, speedUp: speedUp, psnr: psnr, psnr8: psnr, ssim: ssim,
            multiScaleSSIM: ssim.map { $0 / 2 }, haarPSI: ssim.map { $0 / 4 }, latentError: error,
            highFrequencyEnergy: energy, flicker: flicker)
    }

    @Test func `a win is a higher PSNR of the reference, and an infinite one is the highest`() {
        let reference = [40.0, 30, nil, nil, 35].map { pair(psnr: $0) }
        let other = [39.9, 31, 50, nil, 35].map { pair(psnr: $0) }
        let summary = ComparisonSummary(other, reference: reference)
        #expect(summary.wins == 0.4)
        #expect(summary.ties == 0.4)
        let mirrored = ComparisonSummary(reference, reference: other)
        #expect(mirrored.wins == 0.2)
    }

    @Test func `without a reference there are no wins`() {
        let summary = ComparisonSummary([pair(psnr: 40)], reference: nil)
        #expect(summary.wins == nil && summary.ties == nil)
    }

    @Test func `an infinite PSNR is counted and in no mean`() {
        let some = ComparisonSummary([40, nil, 50].map { pair(psnr: $0) }, reference: nil)
        #expect(some.psnr.mean == 45 && some.psnr.worst == 40 && some.psnr.identical == 1)
        let all = ComparisonSummary([nil, nil].map { pair(psnr: $0) }, reference: nil)
        #expect(all.psnr.mean == nil && all.psnr.worst == nil && all.psnr.identical == 2)
    }

    @Test func `a flip is an image below the bound, and an infinite PSNR is none`() throws {
        let bound = ImageMetrics.flipBound
        let summary = ComparisonSummary(
            [bound - 0.01, bound, nil, 50].map { pair(psnr: $0) }, reference: nil)
        #expect(bound == 30 && summary.psnr.flips == Proportion(1, of: 4))
        #expect(summary.psnr.median == DecibelPercentile(0.5, of: [bound - 0.01, bound, nil, 50]))
        #expect(summary.psnr.fifthPercentile?.value ?? 0 < bound)
    }

    @Test func `measures of perception are summed up as SSIM is`() {
        let pairs = [pair(psnr: 1, ssim: 0.5), pair(psnr: 1, ssim: 1)]
        let summary = ComparisonSummary(pairs, reference: nil)
        #expect(summary.multiScaleSSIM?.mean == 0.375 && summary.multiScaleSSIM?.worst == 0.25)
        #expect(summary.haarPSI?.mean == 0.1875 && summary.haarPSI?.worst == 0.125)
        #expect(ComparisonSummary([pair(psnr: 1, ssim: nil)], reference: nil).haarPSI == nil)
    }

    @Test func `a summary of an earlier version has no percentiles, and is read`() throws {
        let old = Data(#"{"identical":1,"mean":45,"worst":40}"#.utf8)
        let decibels = try JSONDecoder().decode(ComparisonSummary.Decibels.self, from: old)
        #expect(decibels.mean == 45 && decibels.median == nil && decibels.flips == nil)
    }

    @Test func `the worst similarity is the least, the worst error the largest`() {
        let pairs = [pair(psnr: 1, ssim: 0.5, error: 0.25), pair(psnr: 1, ssim: 1, error: 0.75)]
        let summary = ComparisonSummary(pairs, reference: nil)
        #expect(summary.ssim?.mean == 0.75 && summary.ssim?.worst == 0.5)
        #expect(summary.latentError?.mean == 0.5 && summary.latentError?.worst == 0.75)
    }

    @Test func `a run that has diverged leaves no mean error`() {
        let summary = ComparisonSummary([pair(psnr: 1, error: nil), pair(psnr: 1, error: 0.5)], reference: nil)
        #expect(summary.latentError == nil)
    }

    @Test func `speed-ups are told by their quartiles`() {
        let summary = ComparisonSummary([4, 1, 2, 3].map { pair(psnr: 1, speedUp: $0) }, reference: nil)
        #expect(summary.speedUp?.lower == 1.75)
        #expect(summary.speedUp?.median == 2.5)
        #expect(summary.speedUp?.upper == 3.25)
        #expect(ComparisonSummary([pair(psnr: 1)], reference: nil).speedUp == nil)
    }

    @Test func `pictures without detail are left out of the detail's mean`() {
        let pairs = [pair(psnr: 1, energy: nil), pair(psnr: 1, energy: 0.5), pair(psnr: 1, energy: 1)]
        #expect(ComparisonSummary(pairs, reference: nil).highFrequencyEnergy == 0.75)
    }

    @Test func `every mean has an interval, and a difference is paired`() throws {
        let reference = [40.0, 50, 60, 70].map { pair(psnr: $0) }
        let summary = ComparisonSummary(
            [39.0, 48.5, 59, 68.5].map { pair(psnr: $0, ssim: $0 / 100, error: $0) }, reference: reference)
        let (own, difference) = (try #require(summary.psnr.interval), try #require(summary.psnrDifference))
        #expect(own.low < 53.75 && own.high > 53.75 && difference.mean == -1.25)
        let paired = try #require(difference.interval)
        #expect(paired.half < 0.1 * own.half && paired.high < 0)
        #expect(summary.ssim?.interval != nil && summary.latentError?.interval != nil)
        #expect(summary.highFrequencyEnergyInterval?.half == 0 && summary.evaluationsInterval?.half == 0)
        #expect(ComparisonSummary([pair(psnr: 40)], reference: nil).psnr.interval == nil)
        #expect(ComparisonSummary([nil, 40].map { pair(psnr: $0) }, reference: reference).psnrDifference?.mean == -10)
    }
}
