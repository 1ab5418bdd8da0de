package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException

/** Calls the core on the agent. What it is told travels as variables; the scripts are the library's own resources. */
class Core implements Serializable {
    private static final long serialVersionUID = 1L
    private static final String FOLDER = 'io/versioner/'
    private static final String ZIPAPP = 'io/versioner/versioner-ci.pyz'
    /** Seconds beyond the core's own time, for an install and a slow agent: a stuck agent must not hold up a build. */
    private static final int MORE_SECONDS = 120
    /** More than the longest wait at the gate, a day, and the core's and our own time: see patience(). */
    private static final int MOST_SECONDS = 90000
    /** What an interruption by the step `timeout` says, in workflow-step-api since 2025-09; older ones say nothing. */
    private static final String OF_TIMEOUT = 'Timeout has been exceeded'
    /** How long a stop can take where the agent hangs: 20 s to give up on the shell, 60 s to force it. */
    private static final int STOP_MS = 90000

    private Object script
    private Options options
    /** Tells this use of the library from all others in this build; an empty text leaves that to `key`. */
    private String leg
    private String sha256
    /** Nothing more can be reported: it was said why. */
    boolean isOff = false

    Core(Object script, Options options, String leg) {
        this.script = script
        this.options = options
        this.leg = leg
    }

    /**
     * One call of the core; null if nothing came of it, or the answer `late`: both were said.
     * Throws FlowInterruptedException where the build itself is interrupted, and nothing else.
     */
    Answer ask(Map<String, String> call, boolean isLast) {
        long began = System.currentTimeMillis()
        int seconds = 0
        try {
            seconds = patience(isLast)
            Answer answer = run(call, seconds)
            if (answer.code == 'absent') {
                began = System.currentTimeMillis()
                answer = run(call + [VERSIONER_HOOK_ZIPAPP: brought()], seconds)
            }
            isOff = answer.code == 'none' || answer.code == 'shut'
            return answer.code == 'none' ? null : answer
        } catch (FlowInterruptedException interruption) {
            long late = System.currentTimeMillis() - began - seconds * 1000L
            if (seconds == 0 || late < 0 || !isByTimeout(interruption.getMessage(), late)) {
                throw interruption
            }
            say('warning: no answer from the agent in ' + seconds + ' s: nothing is known of this report')
            return new Answer('late', '', '')
        } catch (MissingContextVariableException noNode) {
            isOff = true
            say('there is no node around this step: nothing is reported')
        } catch (Throwable fault) {
            say('warning: the report could not be made: ' + oneLine(fault))
        }
        return null
    }

    /** Fails only by an interruption of the build. */
    void say(String line) {
        try {
            script.echo('versioner-ci: ' + line)
        } catch (FlowInterruptedException interruption) {
            throw interruption
        } catch (Throwable unheard) {
            return
        }
    }

    /** As far as it can be known on the controller: a file in the workspace may ask for it too. */
    boolean isGateRequired() {
        try {
            String given = options.text('gate') ?: (script.env.VERSIONER_GATE ?: '')
            return Options.isRequired(options.kind, given) && !Options.isTrue(script.env.VERSIONER_DISABLED ?: '')
        } catch (Throwable unknown) {
            return Options.isRequired(options.kind, options.text('gate'))
        }
    }

    /** Whether a start that was not answered was to wait for the tracker's yes. */
    boolean isGateWaited() {
        String gate = options.text('gate') ?: (script.env.VERSIONER_GATE ?: '')
        String wait = options.text('gateWait') ?: (script.env.VERSIONER_GATE_WAIT ?: '')
        return options.kind == 'deployment' && gate.trim().toLowerCase() != 'off' && wait.matches('.*[1-9].*')
    }

    /** The build's result as it is now. */
    String result() {
        try {
            return script.currentBuild.currentResult
        } catch (Throwable unknown) {
            return 'SUCCESS'
        }
    }

    private Answer run(Map<String, String> call, int seconds) {
        boolean isUnix = script.isUnix()
        Map<String, String> more = [
            VERSIONER_LEG: leg,
            VERSIONER_HOOK_KIND: options.kind,
            VERSIONER_HOOK_SHA256: checksum(),
            VERSIONER_HOOK_FIND: script.libraryResource(FOLDER + 'find_core.py'),
        ]
        List bindings = bindings()
        String output = script.withEnv(options.variables() + pairs(more) + pairs(call)) {
            if (bindings.isEmpty()) {
                return inTime(isUnix, seconds, label(call))
            }
            return script.withCredentials(bindings) {
                return inTime(isUnix, seconds, label(call))
            }
        }
        return Answer.of(output)
    }

    private String inTime(boolean isUnix, int seconds, String label) {
        String text = script.libraryResource(FOLDER + (isUnix ? 'report.sh' : 'report.ps1'))
        return script.timeout(time: seconds, unit: 'SECONDS') {
            if (isUnix) {
                return script.sh(label: label, returnStdout: true, script: text)
            }
            return script.powershell(label: label, returnStdout: true, script: text)
        }
    }

    /** Of the zipapp that a release carries; `-` where there is none. */
    private String checksum() {
        if (sha256 == null) {
            try {
                sha256 = script.libraryResource(ZIPAPP + '.sha256').trim()
            } catch (FlowInterruptedException interruption) {
                throw interruption
            } catch (Exception none) {
                sha256 = '-'
            }
        }
        return sha256
    }

    /** Writes the zipapp to the agent and says where. Nothing of the controller's memory keeps it. */
    private String brought() {
        String folder = script.env.WORKSPACE_TMP ?: script.pwd(tmp: true)
        String path = folder + '/versioner-ci-' + UUID.randomUUID() + '.pyz'
        try {
            script.writeFile(
                file: path, encoding: 'Base64', text: script.libraryResource(resource: ZIPAPP, encoding: 'Base64'))
        } catch (FlowInterruptedException interruption) {
            throw interruption
        } catch (Exception fault) {
            say('warning: the library could not hand its zipapp to the agent: ' + oneLine(fault))
            return '-'
        }
        return path
    }

    private List bindings() {
        List found = []
        Map<String, String> credentials = options.credentials()
        for (String variable : new ArrayList<String>(credentials.keySet())) {
            found.add(script.string(credentialsId: credentials.get(variable), variable: variable))
        }
        return found
    }

    private int patience(boolean isLast) {
        String given = options.text('timeout') ?: (script.env.VERSIONER_TIMEOUT ?: '')
        String wait = options.text('gateWait') ?: (script.env.VERSIONER_GATE_WAIT ?: '')
        int seconds = (isLast ? 3 : 1) * number(given, 10) + (isLast ? 0 : 60 * number(wait, 0)) + MORE_SECONDS
        return Math.min(seconds, MOST_SECONDS)
    }

    /** Any lateness is ours where it says so: after a restart it is as long as the controller was down. */
    @NonCPS
    private static boolean isByTimeout(String message, long late) {
        return message == null ? late < STOP_MS : message == OF_TIMEOUT
    }

    @NonCPS
    private static int number(String text, int otherwise) {
        String whole = text.trim().replaceAll('[.].*', '')
        return whole.matches('[0-9]{1,4}') ? Integer.parseInt(whole) + 1 : otherwise
    }

    @NonCPS
    private static List<String> pairs(Map<String, String> call) {
        List<String> found = []
        for (String name : call.keySet()) {
            if (call.get(name)) {
                found.add(name + '=' + call.get(name))
            }
        }
        return found
    }

    @NonCPS
    private String label(Map<String, String> call) {
        String word = call.get('VERSIONER_HOOK_STATUS') ?: call.get('VERSIONER_HOOK_HOST_STATUS')
        return 'versioner-ci: ' + options.kind + ' ' + word
    }

    @NonCPS
    private static String oneLine(Throwable fault) {
        String said = Departure.textOf(fault).replaceAll('\\s+', ' ')
        return fault.getClass().getSimpleName() + (said.isEmpty() ? '' : ': ' + said)
    }
}
