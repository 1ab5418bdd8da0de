package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** How the body was left: the word for the core, and what goes with it. A word is one of Jenkins' own results. */
class Departure implements Serializable {
    private static final long serialVersionUID = 1L
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

    @NonCPS
    static Departure by(Throwable thrown) {
        if (thrown instanceof FlowInterruptedException) {
            return new Departure(resultOf(thrown), '', '', reasonOf(thrown))
        }
        String message = textOf(thrown)
        if (thrown instanceof AbortException) {
            boolean isOfSh = message.startsWith(OF_SH)
            return new Departure('FAILURE', message, isOfSh ? message.substring(OF_SH.length()).trim() : '', '')
        }
        String name = thrown.getClass().getSimpleName()
        return new Departure('FAILURE', message.isEmpty() ? name : name + ': ' + message, '', '')
    }

    @NonCPS
    private static String textOf(Throwable thrown) {
        String text = thrown.getMessage() == null ? '' : thrown.getMessage()
        return text.length() > MOST_LETTERS ? text.substring(0, MOST_LETTERS) : text
    }

    /** The sandbox forbids to read it: then an interruption is an abort. */
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
