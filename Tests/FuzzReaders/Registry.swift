import Caching
import Evaluation
import FuzzHarness
import Media
import Models
import Pipeline
import Reports
import Sampling

/// Every reader of files that people bring. A new reader gets a line here.
let readers: [Reader] = [
    WeightReaders.safetensors,
    WeightReaders.weights,
    WeightReaders.index,
    ConfigReaders.config,
    ConfigReaders.diffusersConfig,
    ConfigReaders.pixartConfig,
    ConfigReaders.latteConfig,
    ConfigReaders.pipelineIndex,
    ConfigReaders.scheduler,
    ConfigReaders.decoder,
    ReuseReaders.plan,
    ReuseReaders.calibration,
    BatchReaders.manifest,
    BatchReaders.runFile,
    BatchReaders.list,
    ImageReaders.png,
    ImageReaders.record,
    ImageReaders.ppm,
    ImageReaders.clip,
    ImageReaders.y4m,
    TextReaders.model,
    TextReaders.json,
    TextReaders.encoder,
]

/// Whether an error is one by which readers may refuse a file: those that the command line gives an exit code of its own.
///
/// What is wrong with a picture alone is told with its file by whoever reads it, but is a refusal here all the same.
@Sendable func isDocumented(_ error: any Error) -> Bool {
    switch error {
    case is PipelineError, is ModelError, is SafetensorsError, is FileError: true
    case is PlanError, is MissingCalibration, is SamplingError, is LinearAlgebraError, is ImageError: true
    default: false
    }
}
