package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** The work in a closure: reported as started before it, and after it by how it was left. */
class Lifecycle implements Serializable {
    private static final long serialVersionUID = 1L

    private Object script
    private Options options
    private Core core
    private String leg
    private String handle = ''
    /** The gate said no: nothing has begun, so nothing ends. */
    private boolean isRejected = false
    /** What the body returned: it waits for the ending, and a step saves what is held meanwhile. */
    private transient Object returned
    /** The same, if it can be saved. */
    private Object saved

    /** `leg` tells it from all others in this build: Jenkins itself tells branches of `parallel` apart by nothing. */
    Lifecycle(Object script, Map given, String leg) {
        this.script = script
        this.options = new Options(given, false)
        this.leg = leg
        this.core = new Core(script, options, leg)
    }

    /** What the body returns. What it throws is thrown on, the very same object, whatever becomes of the report. */
    Object around(Closure body) {
        if (!isCalledWell()) {
            if (options.approval != null) {
                options.approval.call()
            }
            return body()
        }
        String before = core.result()
        try {
            if (options.approval != null) {
                begin('pending')
                options.approval.call()
            }
            begin('started')
            hold(script.withEnv(['VERSIONER_LEG=' + leg]) {
                body()
            })
        } catch (Throwable left) {
            if (!isRejected) {
                end(Departure.by(left, options.isTrusted()))
            }
            throw left
        }
        Throwable interruption = end(Departure.quietly(before, core.result()))
        if (interruption != null) {
            throw interruption
        }
        return returned == null ? saved : returned
    }

    /** Ends the step where an approval would be passed over, whether or not anything can be reported. */
    private boolean isCalledWell() {
        String fault = options.fault()
        String strange = options.unknown()
        if (!options.unreadable.isEmpty()) {
            core.say('warning: options that cannot be read, ignored: ' + options.unreadable)
        }
        if (!strange.isEmpty()) {
            core.say('warning: unknown options, ignored: ' + strange)
        }
        if (!options.unasked().isEmpty()) {
            script.error('versioner-ci: ' + options.unasked())
        }
        if (fault.isEmpty()) {
            return true
        }
        if (core.isGateRequired()) {
            script.error('versioner-ci: ' + fault)
        }
        core.say('warning: ' + fault + ': nothing is reported')
        return false
    }

    /** Ends the step where the gate says no, and lets an interruption of the build through. */
    private void begin(String status) {
        Answer answer = core.isOff ? null : core.ask(call([VERSIONER_HOOK_STATUS: status]), false)
        if (answer != null && !answer.lifecycle.isEmpty()) {
            handle = answer.lifecycle
        }
        isRejected = answer != null && answer.code == '5'
        Gate.check(script, core, answer, status == 'started')
    }

    /** Never fails. Returns what interrupted the build meanwhile, or null: the report was then tried once more. */
    private Throwable end(Departure departure) {
        if (core.isOff) {
            return null
        }
        Map<String, String> ending = call(wordsOf(departure))
        Throwable interruption = null
        for (int round = 0; round < 2; round++) {
            try {
                core.ask(ending, true)
                return interruption
            } catch (FlowInterruptedException caught) {
                interruption = interruption == null ? caught : interruption
            } catch (Throwable fault) {
                return interruption
            }
        }
        return interruption
    }

    @NonCPS
    private void hold(Object value) {
        returned = value
        try {
            saved = isSerializable(value) ? value : null
        } catch (Throwable unreadable) {
            saved = null
        }
    }

    /** All through lists and maps, where what JSON was parsed to may be hidden: it cannot be saved. */
    @NonCPS
    private static boolean isSerializable(Object value) {
        if (value instanceof Map) {
            for (Object key : ((Map) value).keySet()) {
                if (!isSerializable(key) || !isSerializable(((Map) value).get(key))) {
                    return false
                }
            }
        } else if (value instanceof Collection) {
            for (Object each : (Collection) value) {
                if (!isSerializable(each)) {
                    return false
                }
            }
        }
        return value == null || value instanceof Serializable
    }

    @NonCPS
    private Map<String, String> call(Map<String, String> words) {
        Map<String, String> found = [VERSIONER_LIFECYCLE: handle]
        found.putAll(words)
        return found
    }

    @NonCPS
    private static Map<String, String> wordsOf(Departure departure) {
        return [
            VERSIONER_HOOK_HOST_STATUS: departure.word,
            VERSIONER_HOOK_ERROR: departure.error,
            VERSIONER_HOOK_ERROR_CODE: departure.errorCode,
            VERSIONER_HOOK_REASON: departure.reason,
            VERSIONER_LAST_HOOK: '1',
        ]
    }
}
