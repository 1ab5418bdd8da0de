package io.versioner

/** Whether work may start: everything but a clear no, or gate `required` without a yes, lets it. */
class Gate implements Serializable {
    private static final long serialVersionUID = 1L

    /** Ends the step by `error`, with the rule named; or by failOnError, where that was asked for. */
    static void check(Object script, Core core, Answer answer, boolean isStart) {
        String code = answer == null ? 'none' : answer.code
        if (code == '5') {
            script.error('versioner-ci: ' + answer.refusal)
        } else if (code == '4') {
            script.error('versioner-ci: the event could not be delivered, and failOnError is on')
        } else if (code == 'late' && isStart && core.isGateWaited()) {
            script.error('versioner-ci: the gate was waited for, and the tracker has not let this deployment start')
        } else if (code == 'shut' || (code != '0' && isStart && core.isGateRequired())) {
            script.error('versioner-ci: ' + Answer.SHUT)
        }
    }
}
