package harness

import hudson.model.Result
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Steps with a body, as Jenkins has them; compiled like the scripts that call them. */
abstract class Blocks extends Steps {
    Object within(Map changes, Closure body) {
        Build.now.push(changes)
        try {
            return body()
        } finally {
            Build.now.pop()
        }
    }

    Object node(String label = '', Closure body) {
        return within(Build.now.nodeFrame(), body)
    }

    Object stage(String name, Closure body) {
        return within([env: [STAGE_NAME: name]], body)
    }

    Object withEnv(List<String> overrides, Closure body) {
        Build.now.fault('withEnv', overrides.toString(), 'before')
        return within([env: Pairs.of(overrides)], body)
    }

    Object withCredentials(List bindings, Closure body) {
        Build.now.fault('withCredentials', '', 'before')
        return within(Build.now.credentialsFrame(bindings), body)
    }

    Object timeout(Map args, Closure body) {
        Build.now.fault('timeout', '', 'before')
        long seconds = args.unit == 'SECONDS' ? args.time : args.time * 60
        return within([deadline: System.currentTimeMillis() + seconds * 1000], body)
    }

    Object dir(String path, Closure body) {
        return within([cwd: Build.now.frame.get().cwd + '/' + path], body)
    }

    Object retry(int count, Closure body) {
        for (int round = 1; round < count; round++) {
            try {
                return body()
            } catch (Exception fault) {
                echo('Retrying')
            }
        }
        return body()
    }

    /** Declarative, as far as examples need it: when `post` runs, the result is known. */
    Object pipeline(Closure body) {
        Build.now.failure = null
        node(body)
        if (Build.now.failure != null) {
            throw Build.now.failure
        }
        return null
    }

    Object stages(Closure body) {
        try {
            return body()
        } catch (Throwable left) {
            Build.now.failure = left
            Build.now.result = left instanceof FlowInterruptedException ? Result.ABORTED : Result.FAILURE
        }
        return null
    }

    Object steps(Closure body) {
        return body()
    }

    Object post(Closure body) {
        return body()
    }

    Object always(Closure body) {
        return body()
    }
}
