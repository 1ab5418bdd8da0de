package jenkins.model

/** Why a build was interrupted, and what that says. */
abstract class CauseOfInterruption implements Serializable {
    private static final long serialVersionUID = 1L

    abstract String getShortDescription()

    static class UserInterruption extends CauseOfInterruption {
        String shortDescription = 'Aborted by Ada'
    }
    static class ExceededTimeout extends CauseOfInterruption {
        String shortDescription = 'Timeout has been exceeded'
    }
    static class CancelledCause extends CauseOfInterruption {
        String shortDescription = 'Superseded by shop #154'
    }
    static class Rejection extends CauseOfInterruption {
        String shortDescription = 'Rejected by Ada'
    }
    static class RemovedNodeCause extends CauseOfInterruption {
        String shortDescription = 'Agent was removed'
    }
    static class FailFastCause extends CauseOfInterruption {
        String shortDescription = 'Failed in branch Aborted by tests'
    }
    static class DownstreamFailureCause extends CauseOfInterruption {
        String shortDescription = 'smoke #3 completed with status FAILURE (propagate: false to ignore)'
    }
}
