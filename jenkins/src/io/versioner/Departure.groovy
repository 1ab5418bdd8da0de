package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** How the body was left: the word for the core, and what goes with it. A word is one of Jenkins' own results. */
class Departure implements Serializable {
    private static final long serialVersionUID = 1L
    /** Start of an interruption's message, in workflow-step-api since 2025-09 → why the work ended. */
    private static final Map<String, String> STARTS = [
        'Aborted by ': 'user',
        'Timeout has been exceeded': 'timeout',
        'Superseded by ': 'superseded',
        'Rejected by ': 'rejected',
    ]
    /** In the message of a step `build` whose job did not succeed; one of Jenkins' results follows. */
    private static final String OF_BUILD = ' completed with status '
    private static final List<String> RESULTS = ['UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    /** Results of what was stopped: nothing in it was wrong. */
    private static final List<String> STOPS = ['NOT_BUILT', 'ABORTED']
    /** Simple name of a cause's class → why the work ended. Only a trusted library may look at causes. */
    private static final Map<String, String> REASONS = [
        UserInterruption: 'user',
        ExceededTimeout: 'timeout',
        CancelledCause: 'superseded',
        Rejection: 'rejected',
    ]
    private static final String OF_SH = 'script returned exit code '
    /** A variable holds less than 128 KiB on Linux; the core cuts it again. */
    private static final int MOST_LETTERS = 30000

    String word
    String error
    String errorCode
    String reason

    Departure(String word, String error, String errorCode, String reason) {
        this.word = word
        this.error = error
        this.errorCode = errorCode
        this.reason = reason
    }

    /** While the body ran, the build's result may have been set; what it was before is not the body's doing. */
    @NonCPS
    static Departure quietly(String before, String after) {
        return new Departure(after == before ? 'SUCCESS' : after, '', '', '')
    }

    /** Never fails: what was thrown may be of any class, also one of the pipeline's own. */
    @NonCPS
    static Departure by(Throwable thrown, boolean isTrusted) {
        try {
            return told(thrown, isTrusted)
        } catch (Throwable odd) {
            return new Departure(thrown instanceof FlowInterruptedException ? 'ABORTED' : 'FAILURE', '', '', '')
        }
    }

    /** What an exception says in one piece; empty if it says nothing, or cannot. */
    @NonCPS
    static String textOf(Throwable thrown) {
        try {
            String text = thrown.getMessage()
            if (text == null) {
                return ''
            }
            return text.length() > MOST_LETTERS ? text.substring(0, MOST_LETTERS) : text
        } catch (Throwable mute) {
            return ''
        }
    }

    @NonCPS
    private static Departure told(Throwable thrown, boolean isTrusted) {
        String message = textOf(thrown)
        if (thrown instanceof FlowInterruptedException) {
            String said = reasonIn(message)
            String reason = isTrusted && said.isEmpty() ? reasonOf(thrown) : said
            String result = isTrusted ? resultOf(thrown) : resultIn(message, said)
            return new Departure(result, STOPS.contains(result) ? '' : message, '', reason)
        }
        if (thrown instanceof AbortException) {
            boolean isOfSh = message.startsWith(OF_SH)
            return new Departure('FAILURE', message, isOfSh ? message.substring(OF_SH.length()).trim() : '', '')
        }
        String name = thrown.getClass().getSimpleName()
        return new Departure('FAILURE', message.isEmpty() ? name : name + ': ' + message, '', '')
    }

    @NonCPS
    private static String reasonIn(String message) {
        for (String start : STARTS.keySet()) {
            if (message.startsWith(start)) {
                return STARTS.get(start)
            }
        }
        return ''
    }

    /** An interruption is an abort, unless it says that it is another job's result. */
    @NonCPS
    private static String resultIn(String message, String reason) {
        int at = reason.isEmpty() ? message.lastIndexOf(OF_BUILD) : -1
        if (at >= 0) {
            String rest = message.substring(at + OF_BUILD.length())
            for (String result : RESULTS) {
                if (rest.startsWith(result)) {
                    return result
                }
            }
        }
        return 'ABORTED'
    }

    /** Never asked of an untrusted library: each refusal would become a signature for an administrator to approve. */
    @NonCPS
    private static String resultOf(Throwable thrown) {
        try {
            return thrown.getResult().toString()
        } catch (Exception forbidden) {
            return 'ABORTED'
        }
    }

    @NonCPS
    private static String reasonOf(Throwable thrown) {
        try {
            for (Object cause : thrown.getCauses()) {
                String reason = REASONS.get(cause.getClass().getSimpleName())
                if (reason != null) {
                    return reason
                }
            }
        } catch (Exception forbidden) {
            return ''
        }
        return ''
    }
}
