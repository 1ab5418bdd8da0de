package io.versioner

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/** What a step was given, by name; as problems, and as the variables that carry it to the core. */
class Options implements Serializable {
    private static final long serialVersionUID = 1L

    /** Option → the core's own variable. */
    static final Map<String, String> VARIABLES = [
        product: 'VERSIONER_PRODUCT',
        version: 'VERSIONER_VERSION',
        environment: 'VERSIONER_ENVIRONMENT',
        key: 'VERSIONER_KEY',
        apiUrl: 'VERSIONER_API_URL',
        slackChannel: 'SLACK_CHANNEL',
        gate: 'VERSIONER_GATE',
        gateWait: 'VERSIONER_GATE_WAIT',
        skipPreflight: 'VERSIONER_SKIP_PREFLIGHT',
        timeout: 'VERSIONER_TIMEOUT',
        failOnError: 'VERSIONER_FAIL_ON_ERROR',
        identity: 'VERSIONER_IDENTITY',
        unstable: 'VERSIONER_UNSTABLE',
        metadata: 'VERSIONER_METADATA',
        config: 'VERSIONER_CONFIG',
    ]
    /** Option that names a credential of the kind "secret text" → the variable that it becomes. */
    static final Map<String, String> CREDENTIALS = [
        credentialsId: 'VERSIONER_API_KEY',
        slackCredentialsId: 'SLACK_BOT_TOKEN',
    ]
    /** Option → the variable that report.sh and report.ps1 read. */
    static final Map<String, String> HOOK = [
        requirements: 'VERSIONER_HOOK_REQUIREMENTS',
    ]
    /** Only of versionerReport; `status` is asked for by itself. */
    static final Map<String, String> OF_ONE_EVENT = [
        error: 'VERSIONER_HOOK_ERROR',
        errorCode: 'VERSIONER_HOOK_ERROR_CODE',
        reason: 'VERSIONER_HOOK_REASON',
        lifecycle: 'VERSIONER_LIFECYCLE',
    ]
    /** The core's words for the start of a deployment. */
    static final List<String> STARTS = ['started', 'in_progress', 'init', 'deploying', 'running', 'inprogress']
    private static final List<String> OF_BOTH = ['event']
    private static final List<String> OF_REPORT = ['status', 'trusted']
    private static final List<String> OF_WITH = ['approval', 'trusted']
    private static final List<String> KINDS = ['deployment', 'build']
    /** No gate that anybody knows, so it counts as required; no status either, for without one it is an ending. */
    private static final String UNREADABLE = 'unreadable'
    private static final List<String> TRUE = ['1', 't', 'y', 'true', 'yes', 'on']

    boolean isOneEvent
    /** Names of the options that cannot be made a text of, with commas between. */
    String unreadable
    /** Names of the options that were given a closure and never call one, with commas between. */
    String misplaced
    Closure approval
    /** Texts alone: what was given need not be serialisable, and this is held while steps run. */
    private Map<String, String> texts = [:]

    Options(Map given, boolean isOneEvent) {
        this.isOneEvent = isOneEvent
        this.approval = approvalIn(given)
        this.unreadable = take(given)
        this.misplaced = misplacedIn(given)
    }

    @NonCPS
    String text(String name) {
        return texts.get(name) ?: ''
    }

    @NonCPS
    private static Closure approvalIn(Map given) {
        Object found = given == null ? null : given.get('approval')
        return found instanceof Closure ? (Closure) found : null
    }

    @NonCPS
    private String misplacedIn(Map given) {
        List<String> found = []
        for (Object key : given == null ? [] : given.keySet()) {
            String name = key
            if (given.get(key) instanceof Closure && (isOneEvent || approval == null || name != 'approval')) {
                found.add(name)
            }
        }
        return found.join(', ')
    }

    @NonCPS
    private String take(Map given) {
        List<String> strange = []
        for (Object key : given == null ? [] : given.keySet()) {
            String name = key
            try {
                texts.put(name, textOf(name, given.get(key)))
            } catch (Throwable unreadable) {
                strange.add(name)
                texts.put(name, ['gate', 'status'].contains(name) ? UNREADABLE : '')
            }
        }
        return strange.join(', ')
    }

    @NonCPS
    private static String textOf(String name, Object value) {
        if (value == null || name == 'approval') {
            return value == null || value instanceof Closure ? '' : UNREADABLE
        }
        if (name == 'metadata' && value instanceof Map) {
            return JsonOutput.toJson((Map) value)
        }
        return value instanceof List ? value.join(',') : value.toString().trim()
    }

    @NonCPS
    String getKind() {
        return text('event')
    }

    /** As it was given; for the start of a deployment `started`, the only word that the gate and the scripts know. */
    @NonCPS
    String status() {
        String word = text('status').replaceAll('[-_ ]+', '_').toLowerCase()
        return kind == 'deployment' && STARTS.contains(word) ? 'started' : text('status')
    }

    /** Whether the library is one that may ask an interruption for its result and its causes. */
    @NonCPS
    boolean isTrusted() {
        return isTrue(text('trusted'))
    }

    /** Why nothing can be reported; empty if nothing is wrong. */
    @NonCPS
    String fault() {
        if (!KINDS.contains(text('event'))) {
            return "event must be 'deployment' or 'build'"
        }
        if (!text('status').matches('[A-Za-z][A-Za-z_ -]*|')) {
            return 'status must be a word like pending, started or success'
        }
        return ''
    }

    /** Why somebody who may have been meant to be asked would not be; empty if nobody is passed over. */
    @NonCPS
    String unasked() {
        if (!misplaced.isEmpty()) {
            return 'only approval of withVersioner takes a closure, and this one would never be called: ' + misplaced
        }
        return text('approval').isEmpty() ? '' : "approval must be a closure, like approval: { input 'Deploy?' }"
    }

    /** Names that no step knows, each with what is known. */
    @NonCPS
    String unknown() {
        List<String> known = []
        known.addAll(OF_BOTH)
        known.addAll(isOneEvent ? OF_REPORT : OF_WITH)
        known.addAll(VARIABLES.keySet())
        known.addAll(CREDENTIALS.keySet())
        known.addAll(HOOK.keySet())
        if (isOneEvent) {
            known.addAll(OF_ONE_EVENT.keySet())
        }
        List<String> strange = []
        for (String name : texts.keySet()) {
            if (!known.contains(name)) {
                strange.add(name)
            }
        }
        return strange.isEmpty() ? '' : strange.join(', ') + ' (known: ' + known.join(', ') + ')'
    }

    /** NAME=value for each option that was given: values from users reach a shell in no other way. */
    @NonCPS
    List<String> variables() {
        Map<String, String> names = [:]
        names.putAll(VARIABLES)
        names.putAll(HOOK)
        if (isOneEvent) {
            names.putAll(OF_ONE_EVENT)
        }
        List<String> found = []
        for (String name : names.keySet()) {
            String value = text(name)
            if (!value.isEmpty()) {
                found.add(names.get(name) + '=' + value)
            }
        }
        return found
    }

    /** Variable → credential's id. */
    @NonCPS
    Map<String, String> credentials() {
        Map<String, String> found = [:]
        for (String name : CREDENTIALS.keySet()) {
            if (!text(name).isEmpty()) {
                found.put(CREDENTIALS.get(name), text(name))
            }
        }
        return found
    }

    /**
     * Whether only the tracker's yes lets a deployment start. A gate that nobody can read may have said so, and what is
     * neither may be a deployment.
     */
    @NonCPS
    static boolean isRequired(String kind, String gate) {
        return kind != 'build' && !['', 'on', 'off'].contains(gate.trim().toLowerCase())
    }

    @NonCPS
    static boolean isTrue(String value) {
        return TRUE.contains(value.trim().toLowerCase())
    }
}
