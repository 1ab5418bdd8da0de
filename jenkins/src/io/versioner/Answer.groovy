package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonSlurper

/** What report.sh or report.ps1 has printed: the core's JSON, if it ran, and a last line `exit WORD`. */
class Answer implements Serializable {
    private static final long serialVersionUID = 1L
    static final String SHUT =
        "gate 'required': only the tracker's acceptance lets this deployment start, and there is none"

    /**
     * The core's exit code; `absent`: it is to be brought from the library; `none`: it cannot be had; `shut`: nor may
     * the deployment start then; `late`: there was none in time.
     */
    String code
    /** The handle of the lifecycle, or an empty text. */
    String lifecycle
    String refusal

    Answer(String code, String lifecycle, String refusal) {
        this.code = code
        this.lifecycle = lifecycle
        this.refusal = refusal
    }

    /** Never fails: an output that cannot be read is the answer `none`. */
    @NonCPS
    static Answer of(String output) {
        String text = output == null ? '' : output.trim()
        int last = text.lastIndexOf('exit ')
        if (last < 0) {
            return new Answer('none', '', '')
        }
        Map found = parsed(text.substring(0, last).trim())
        Object handle = found.get('lifecycle')
        Object rejection = found.get('rejection')
        String refusal = rejection instanceof Map ? told((Map) rejection) : SHUT
        return new Answer(text.substring(last + 5).trim(), handle == null ? '' : handle.toString(), refusal)
    }

    @NonCPS
    private static Map parsed(String json) {
        try {
            Object found = json.isEmpty() ? [:] : new JsonSlurper().parseText(json)
            return found instanceof Map ? (Map) found : [:]
        } catch (Exception unreadable) {
            return [:]
        }
    }

    @NonCPS
    private static String told(Map rejection) {
        Object rule = rejection.get('rule')
        Object reason = rejection.get('reason')
        String named = rule == null ? 'rejected by the tracker' : "rejected by rule '" + rule + "'"
        return reason == null ? named : named + ': ' + reason
    }
}
