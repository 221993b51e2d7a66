/// What a run would measure first, where nothing is to be made (``StoredCalibration``).
public struct MissingCalibration: Error, CustomStringConvertible {
    let task: StoredCalibration.Task

    public var description: String {
        switch task {
        case .measure:
            "there is no calibration for this model, sampler, step count and guidance yet: the run makes one first, at the cost "
                + "of one and a half full runs, and then its plan is known; 'omnicache calibrate' makes a better one"
        case .fit:
            "there is no forecaster for this plan yet: the run fits one first"
        }
    }
}
