package jenkins.model

/** Why a build was interrupted. */
abstract class CauseOfInterruption implements Serializable {
    static class UserInterruption extends CauseOfInterruption { }
    static class ExceededTimeout extends CauseOfInterruption { }
    static class CancelledCause extends CauseOfInterruption { }
    static class Rejection extends CauseOfInterruption { }
    static class RemovedNodeCause extends CauseOfInterruption { }
    static class DownstreamFailureCause extends CauseOfInterruption { }
}
