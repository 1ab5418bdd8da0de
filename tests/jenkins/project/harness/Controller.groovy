package harness

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.CompilationCustomizer
import org.codehaus.groovy.control.customizers.ImportCustomizer
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.kohsuke.groovy.sandbox.SandboxTransformer

/**
 * Runs Jenkinsfiles that use the library: an order on each line of stdin, what came of it on one of stdout.
 *
 * Modes: `plain` Groovy; `cps` as Jenkins runs it; `restart`, the same, and at every step the whole program goes to
 * bytes and back, as when a controller restarts; `sandbox`, plain with every call held against the whitelist;
 * `cps-sandbox`, both at once, as Jenkins runs an untrusted library.
 */
class Controller {
    static final Map<String, Compiled> COMPILED = [:]
    static final List<String> CPS = ['cps', 'restart', 'cps-sandbox']
    static final Map<String, Class<CompilationCustomizer>> SANDBOXED =
        [sandbox: SandboxTransformer, 'cps-sandbox': UntrustedTransformer]

    static void main(String[] arguments) {
        PrintStream answers = System.out
        System.out = System.err
        System.in.eachLine('UTF-8') { String line ->
            Map order = (Map) new JsonSlurperClassic().parseText(line)
            answers.println(JsonOutput.toJson(new Controller().run(order)))
            answers.flush()
        }
    }

    Map run(Map order) {
        Build build = new Build(order)
        Map found = [:]
        FlowInterruptedException.isReadable = order.isTrusted
        FlowInterruptedException.hasMessage = !order.isSilent
        FlowInterruptedException.REFUSED.clear()
        try {
            Object returned = started(order)
            found.returned = returned == null ? null : returned.toString()
        } catch (Throwable thrown) {
            found.thrown = [type: thrown.class.name, message: message(thrown), trace: trace(thrown)]
        }
        found += [log: build.log, steps: build.steps, failedSteps: build.failed] + Program.facts()
        found.result = build.result.toString()
        return found + [used: build.used, forbidden: build.forbidden + FlowInterruptedException.REFUSED]
    }

    private static String message(Throwable thrown) {
        try {
            return thrown.message
        } catch (Throwable mute) {
            return ''
        }
    }

    private static List<String> trace(Throwable thrown) {
        return thrown.stackTrace.findAll { it.fileName?.endsWith('.groovy') }.take(12)*.toString()
    }

    private static Object started(Map order) {
        boolean isCps = order.mode in CPS
        Compiled library = compiled((String) order.library, (String) order.mode)
        Steps.isCps = isCps
        Steps.vars = library.vars.collectEntries { name, type -> [name, (Script) type.newInstance()] }
        Script main = (Script) library.scripts.parseClass((String) order.jenkinsfile, 'Jenkinsfile').newInstance()
        Sandbox guard = order.mode in SANDBOXED ? new Sandbox((List<String>) order.whitelist) : null
        Program.reset(library.scripts, order.mode == 'restart', guard)
        try {
            return isCps ? Program.run(new Continuable(main, Program.env())) : Program.guarded { main.run() }
        } finally {
            Build.now.used.addAll(guard?.used ?: [])
        }
    }

    /** The library as one mode wants it. Jenkinsfiles are never sandboxed: the library alone is held to the list. */
    private static Compiled compiled(String library, String mode) {
        return COMPILED.computeIfAbsent(mode + ' ' + library) {
            CompilerConfiguration plain = settings(mode in CPS ? [new CpsTransformer()] : [])
            GroovyClassLoader blocks = new GroovyClassLoader(Controller.classLoader, plain)
            String base = blocks.parseClass(new File(System.getProperty('project'), 'cps/Blocks.groovy')).name
            plain.scriptBaseClass = base
            CompilerConfiguration guarded = mode in SANDBOXED ? settings([SANDBOXED[mode].newInstance()]) : plain
            guarded.scriptBaseClass = base
            GroovyClassLoader loader = new GroovyClassLoader(blocks, guarded)
            loader.addClasspath(library + '/src')
            Map<String, Class> vars = new File(library, 'vars').listFiles().findAll { it.name.endsWith('.groovy') }
                .collectEntries { [it.name - '.groovy', loader.parseClass(it)] }
            return new Compiled(vars: vars, scripts: new GroovyClassLoader(loader, plain))
        }
    }

    private static CompilerConfiguration settings(List<CompilationCustomizer> transformers) {
        CompilerConfiguration found = new CompilerConfiguration(sourceEncoding: 'UTF-8')
        found.addCompilationCustomizers(new ImportCustomizer().addStarImports(NonCPS.package.name))
        transformers.each { found.addCompilationCustomizers(it) }
        return found
    }

    static class Compiled {
        Map<String, Class> vars
        GroovyClassLoader scripts
    }
}
