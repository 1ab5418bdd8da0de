package harness

import hudson.AbortException
import hudson.model.Result
import jenkins.model.CauseOfInterruption
import org.codehaus.groovy.runtime.InvokerHelper
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException

/** One build: its order from pytest, its log and result; leaf steps that really do what Jenkins' steps do. */
class Build {
    static final Map<String, Closure<Throwable>> THROWN = [
        abort: { interrupted(Result.ABORTED, new CauseOfInterruption.UserInterruption()) },
        timeout: { interrupted(Result.ABORTED, new CauseOfInterruption.ExceededTimeout()) },
        superseded: { interrupted(Result.NOT_BUILT, new CauseOfInterruption.CancelledCause()) },
        rejected: { interrupted(Result.ABORTED, new CauseOfInterruption.Rejection()) },
        removed: { interrupted(Result.ABORTED, new CauseOfInterruption.RemovedNodeCause()) },
        failFast: { interrupted(Result.ABORTED, new CauseOfInterruption.FailFastCause()) },
        downstream: { interrupted(Result.FAILURE, new CauseOfInterruption.DownstreamFailureCause()) },
        error: { new AbortException('something else is broken') },
        io: { new IOException('channel is closed') },
        runtime: { new IllegalStateException('a fault') },
        fatal: { new NoSuchMethodError('no such step') },
        mute: { new Mute() },
    ]
    static Build now

    final Map order
    final List<String> log = [].asSynchronized()
    final List<String> steps = [].asSynchronized()
    final List<String> failed = [].asSynchronized()
    /** Signatures that the sandbox let through, and those that it did not. */
    final Set<String> used = new TreeSet<>()
    final Set<String> forbidden = new TreeSet<>()
    final List<Map> faults = [].asSynchronized()
    final InheritableThreadLocal<Frame> frame = new InheritableThreadLocal<>()
    Result result = Result.SUCCESS
    /** What a declarative pipeline's stages were left by. */
    Throwable failure
    int workspaces = 0

    Build(Map order) {
        this.order = order
        faults.addAll(order.faults ?: [])
        frame.set(new Frame(env: new TreeMap<String, String>((Map) order.env)))
        now = this
    }

    /** Cannot say what it is. */
    static class Mute extends IOException {
        @Override
        String getMessage() {
            throw new IllegalStateException('no text')
        }
    }

    static FlowInterruptedException interrupted(Result result, CauseOfInterruption cause) {
        return new FlowInterruptedException(result, cause)
    }

    /** What is around the step that runs now. */
    static class Frame {
        Map<String, String> env = [:]
        String cwd
        long deadline = Long.MAX_VALUE
        Frame outer

        Frame inner(Map changes) {
            Map<String, String> next = new TreeMap<>(env)
            changes.env?.each { name, value -> value ? next.put(name, value.toString()) : next.remove(name) }
            return new Frame(env: next, cwd: changes.cwd ?: cwd, outer: this,
                deadline: Math.min(deadline, changes.deadline ?: Long.MAX_VALUE))
        }
    }

    void push(Map changes) {
        frame.set(frame.get().inner(changes))
    }

    void pop() {
        frame.set(frame.get().outer)
    }

    synchronized Map nodeFrame() {
        workspaces++
        String path = order.root + '/workspace' + (workspaces > 1 && order.isParallel ? '@' + workspaces : '')
        new File(path + '@tmp').mkdirs()
        new File(path).mkdirs()
        Map env = [NODE_NAME: 'agent-1', EXECUTOR_NUMBER: '0', WORKSPACE: path, WORKSPACE_TMP: path + '@tmp']
        return [cwd: path, env: env]
    }

    Map credentialsFrame(List bindings) {
        Map env = [:]
        for (Map binding : bindings) {
            if (!order.credentials.containsKey(binding.credentialsId)) {
                throw new IOException('Could not find credentials entry with ID ' + binding.credentialsId)
            }
            env.put(binding.variable, order.credentials.get(binding.credentialsId))
        }
        return [env: env]
    }

    /** Throws what the order wants thrown at this step: the fault of that name and when, once. */
    void fault(String name, String label, String when) {
        Map found = faults.find { it.step == name && it.when == when && label.contains(it.label ?: '') }
        if (found != null) {
            if (!found.always) {
                faults.remove(found)
            }
            throw THROWN[found.thrown].call()
        }
    }

    Object perform(String name, Map args) {
        String label = args.label ?: ''
        String shown = label ? name + ' ' + label : name
        steps.add(shown)
        try {
            fault(name, label ?: (args.message ?: '').toString(), 'before')
            Object found = InvokerHelper.invokeMethod(this, 'do_' + name, args)
            fault(name, label, 'after')
            return found
        } catch (Throwable thrown) {
            failed.add(shown)
            throw thrown
        }
    }

    Object do_echo(Map args) {
        log.add(args.message.toString())
        return null
    }

    Object do_error(Map args) {
        throw new AbortException(args.message.toString())
    }

    Object do_input(Map args) {
        return 'yes'
    }

    Object do_isUnix(Map args) {
        needsNode()
        return !order.isWindows
    }

    Object do_pwd(Map args) {
        needsNode()
        return args.tmp ? frame.get().cwd + '@tmp' : frame.get().cwd
    }

    Object do_libraryResource(Map args) {
        File file = new File((String) order.library, 'resources/' + args.resource)
        if (!file.isFile()) {
            throw new AbortException('No such library resource ' + args.resource + ' could be found.')
        }
        return args.encoding == 'Base64' ? file.bytes.encodeBase64().toString() : file.getText('UTF-8')
    }

    Object do_writeFile(Map args) {
        needsNode()
        File file = args.file.startsWith('/') ? new File((String) args.file) : new File(frame.get().cwd, args.file)
        file.parentFile.mkdirs()
        file.bytes = args.encoding == 'Base64' ? args.text.decodeBase64() : args.text.getBytes('UTF-8')
        return null
    }

    Object do_sh(Map args) {
        needsNode()
        Shell shell = new Shell(build: this, args: args, frame: frame.get())
        if (faults.any { it.step == 'sh' && it.when == 'twice' && (args.label ?: '').contains(it.label) }) {
            shell.run()  // the controller died after it, and resumes the step
        }
        return shell.run()
    }

    Object do_powershell(Map args) {
        needsNode()
        throw new AbortException('there is no PowerShell here')
    }

    private void needsNode() {
        if (frame.get().cwd == null) {
            throw new MissingContextVariableException('hudson.FilePath')
        }
    }
}
