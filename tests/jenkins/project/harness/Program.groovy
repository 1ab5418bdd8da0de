package harness

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.Continuation
import com.cloudbees.groovy.cps.Env
import com.cloudbees.groovy.cps.Envs
import com.cloudbees.groovy.cps.Outcome
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation
import com.cloudbees.groovy.cps.sandbox.SandboxInvoker

/** Runs a transformed program as Jenkins does: it stops at each step, that is done, it goes on with what came of it. */
class Program {
    static GroovyClassLoader loader
    static boolean isRestarting = false
    /** Null without a sandbox. */
    static Sandbox guard
    static int restarts = 0
    /** The largest program that was saved behind the step writeFile. */
    static int mostAfterBringing = 0
    /** Classes of the library that had instances in a saved program. */
    static final Set<String> SAVED = new TreeSet<>()

    static void reset(GroovyClassLoader loader, boolean isRestarting, Sandbox guard) {
        Program.loader = loader
        Program.isRestarting = isRestarting
        Program.guard = guard
        restarts = 0
        mostAfterBringing = 0
        SAVED.clear()
    }

    static Map facts() {
        return [restarts: restarts, mostAfterBringing: mostAfterBringing, saved: SAVED]
    }

    static Object run(Continuable program) {
        Outcome outcome = guarded { program.run0(new Outcome(null, null)) }
        while (program.isResumable()) {
            List step = (List) outcome.replay()
            if (isRestarting) {
                program = restarted(program)
            }
            Outcome came = done((String) step[0], (Map) step[1])
            outcome = guarded { program.run0(came) }
        }
        return outcome.replay()
    }

    static Env env() {
        return guard == null ? Envs.empty() : Envs.empty(new SandboxInvoker())
    }

    /** As script-security does: in force while the program itself runs, not while a step does. */
    static Object guarded(Closure work) {
        guard?.register()
        try {
            return work.call()
        } finally {
            guard?.unregister()
        }
    }

    /** A closure of a transformed script, in a thread of its own. */
    static Object call(Closure body) {
        try {
            return body.call()
        } catch (CpsCallableInvocation invocation) {
            return run(new Continuable(invocation.invoke(env(), null, Continuation.HALT)))
        }
    }

    private static Outcome done(String name, Map args) {
        try {
            return new Outcome(name == 'parallel' ? Branches.run(args) : Build.now.perform(name, args), null)
        } catch (Throwable thrown) {
            return new Outcome(null, thrown)
        }
    }

    private static Continuable restarted(Continuable program) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream()
        new Saving(bytes).withCloseable { it.writeObject(program) }
        restarts++
        if (Build.now.steps && Build.now.steps.contains('writeFile')) {
            mostAfterBringing = Math.max(mostAfterBringing, bytes.size())
        }
        ByteArrayInputStream input = new ByteArrayInputStream(bytes.toByteArray())
        return (Continuable) new Resolving(input, loader).readObject()
    }

    static class Saving extends ObjectOutputStream {
        Saving(OutputStream output) {
            super(output)
            enableReplaceObject(true)
        }

        @Override
        protected Object replaceObject(Object object) {
            if (object.getClass().name.startsWith('io.versioner.')) {
                SAVED.add(object.getClass().simpleName)
            }
            return object
        }
    }

    static class Resolving extends ObjectInputStream {
        private final ClassLoader loader

        Resolving(InputStream input, ClassLoader loader) {
            super(input)
            this.loader = loader
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass description) {
            try {
                return loader.loadClass(description.name)
            } catch (ClassNotFoundException missing) {
                return super.resolveClass(description)
            }
        }
    }
}
