package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result
import jenkins.model.CauseOfInterruption
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException

/**
 * An interruption of the build. Its message is what its cause says, as in workflow-step-api since 2025-09, or there is
 * none, as before. An untrusted library may ask for nothing else.
 */
class FlowInterruptedException extends InterruptedException {
    static boolean isReadable = true
    static boolean hasMessage = true
    /** What was asked for and refused: an administrator would find it among the signatures to approve. */
    static final Set<String> REFUSED = [].toSet().asSynchronized()
    final Result why
    final CauseOfInterruption cause0

    FlowInterruptedException(Result why, CauseOfInterruption cause0) {
        this.why = why
        this.cause0 = cause0
    }

    @Override
    String getMessage() {
        return hasMessage ? cause0.shortDescription : null
    }

    Result getResult() {
        checked('getResult')
        return why
    }

    List<CauseOfInterruption> getCauses() {
        checked('getCauses')
        return [cause0]
    }

    private static void checked(String method) {
        if (!isReadable) {
            REFUSED.add('method ' + FlowInterruptedException.name + ' ' + method)
            throw new RejectedAccessException('method ' + FlowInterruptedException.name + ' ' + method)
        }
    }
}
