package harness

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.SerializableScript
import org.codehaus.groovy.runtime.InvokerHelper

/** What scripts see of Jenkins. Plain Groovy: a leaf step is done at once, or handed to whoever runs the program. */
abstract class Steps extends SerializableScript {
    static boolean isCps = false
    static Map<String, Script> vars = [:]

    static Object leaf(String name, Map args) {
        if (isCps) {
            return Continuable.suspend([name, args])
        }
        return Build.now.perform(name, args)
    }

    Object getEnv() {
        return new Environment()
    }

    Object getCurrentBuild() {
        return new CurrentBuild()
    }

    Object echo(Object message) {
        return leaf('echo', [message: message.toString()])
    }

    Object error(Object message) {
        return leaf('error', [message: message.toString()])
    }

    Object input(Object message) {
        return leaf('input', [message: message.toString()])
    }

    Object isUnix() {
        return leaf('isUnix', [:])
    }

    Object pwd(Map args = [:]) {
        return leaf('pwd', args)
    }

    Object libraryResource(Object resource) {
        return leaf('libraryResource', resource instanceof Map ? (Map) resource : [resource: resource.toString()])
    }

    Object writeFile(Map args) {
        return leaf('writeFile', args)
    }

    Object sh(Object script) {
        return leaf('sh', script instanceof Map ? (Map) script : [script: script.toString()])
    }

    Object parallel(Map branches) {
        return isCps ? Continuable.suspend(['parallel', branches]) : Branches.run(branches)
    }

    Object powershell(Map args) {
        return leaf('powershell', args)
    }

    Object unstable(Object message) {
        Build.now.result = hudson.model.Result.UNSTABLE
        return leaf('echo', [message: message.toString()])
    }

    Object agent(Object label) {
        return label
    }

    Object getAny() {
        return 'any'
    }

    Map string(Map args) {
        return args
    }

    Throwable thrown(String name) {
        return Build.THROWN[name].call()
    }

    /** The library's steps. */
    @Override
    Object invokeMethod(String name, Object args) {
        Script found = vars.get(name)
        return found == null ? super.invokeMethod(name, args) : InvokerHelper.invokeMethod(found, 'call', args)
    }

    /** `env.NAME`: what is set around this step, or null. */
    static class Environment implements Serializable {
        private static final long serialVersionUID = 1L

        Object getProperty(String name) {
            Build.now.fault('env', name, 'before')
            return Build.now.frame.get().env.get(name)
        }
    }

    static class CurrentBuild implements Serializable {
        private static final long serialVersionUID = 1L

        String getCurrentResult() {
            Build.now.fault('currentBuild', '', 'before')
            return Build.now.result.toString()
        }

        void setResult(String word) {
            Build.now.result = hudson.model.Result.valueOf(word)
        }
    }
}
