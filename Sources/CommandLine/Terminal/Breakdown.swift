import CAllocation
import Compute
import Glibc
import Models

/// What no caller can mend is told in one line as well: memory that is at an end, and weights whose bytes are gone.
enum Breakdown {
    /// Prepares for both.
    static func prepare() {
        let limits = AddressSpace.limits
        let line =
            "omnicache: not enough memory\(limits.isEmpty ? "" : " under \(limits)"): "
            + "\(limits.isEmpty ? "free some" : "raise the limit"), or use a smaller model, fewer images in flight or "
            + "fewer threads\n"
        allocation_end_with(ExitStatus.machine.rawValue, line)
        if AddressSpace.isLimited { allocation_spare_addresses() }
        let status = ExitStatus.inputOutput.rawValue
        if Terminal.standardError.isInteractive {
            WeightFiles.endOnLoss(status: status, prefix: "\r\u{1B}[Komnicache: ")
        } else {
            WeightFiles.endOnLoss(status: status, prefix: "omnicache: ")
        }
    }
}
