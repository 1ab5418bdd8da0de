package io.versioner

import com.cloudbees.groovy.cps.NonCPS

/** One event: of the status that was given, else the build's result, as in `post`. */
class Event implements Serializable {
    private static final long serialVersionUID = 1L

    private Object script
    private Options options
    private Core core

    Event(Object script, Map given) {
        this.script = script
        this.options = new Options(given, true)
        this.core = new Core(script, options, '')
    }

    /** The lifecycle's handle, for a later call; an empty text if there is none. */
    String report() {
        String fault = options.fault()
        String strange = options.unknown()
        if (!options.unreadable.isEmpty()) {
            core.say('warning: options that cannot be read, ignored: ' + options.unreadable)
        }
        if (!strange.isEmpty()) {
            core.say('warning: unknown options, ignored: ' + strange)
        }
        String status = options.status()
        String unasked = options.unasked()
        if (!unasked.isEmpty() && !status.isEmpty()) {
            script.error('versioner-ci: ' + unasked)
        } else if (!unasked.isEmpty()) {
            core.say('warning: ' + unasked)
        }
        if (!fault.isEmpty()) {
            if (!status.isEmpty() && core.isGateRequired()) {
                script.error('versioner-ci: ' + fault)
            }
            core.say('warning: ' + fault + ': nothing is reported')
            return ''
        }
        if (status.isEmpty()) {
            return handleOf(core.ask([VERSIONER_HOOK_HOST_STATUS: core.result(), VERSIONER_LAST_HOOK: '1'], true))
        }
        Answer answer = core.ask([VERSIONER_HOOK_STATUS: status], false)
        Gate.check(script, core, answer, status == 'started' || isUnknown(answer))
        return handleOf(answer)
    }

    /** The core does not know the word: it may have been meant for a start. */
    @NonCPS
    private static boolean isUnknown(Answer answer) {
        return answer != null && answer.code == '2'
    }

    @NonCPS
    private static String handleOf(Answer answer) {
        return answer == null ? '' : answer.lifecycle
    }
}
