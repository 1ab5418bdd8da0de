package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result
import jenkins.model.CauseOfInterruption
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException

/** An interruption of the build. Like Jenkins' own it has no message, and an untrusted library may not ask it. */
class FlowInterruptedException extends InterruptedException {
    static boolean isReadable = true
    final Result why
    final CauseOfInterruption cause0

    FlowInterruptedException(Result why, CauseOfInterruption cause0) {
        this.why = why
        this.cause0 = cause0
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
            throw new RejectedAccessException('method ' + FlowInterruptedException.name + ' ' + method)
        }
    }
}
