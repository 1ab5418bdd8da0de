package harness

import hudson.AbortException
import java.util.concurrent.TimeUnit

/** The step `sh`: `sh -xe FILE`, as Jenkins runs what has no line `#!`. */
class Shell {
    Build build
    Map args
    Build.Frame frame

    Object run() {
        File folder = File.createTempDir()
        File script = new File(folder, 'script.sh')
        script.setText((String) args.script, 'UTF-8')
        File out = new File(folder, 'out')
        File err = new File(folder, 'err')
        ProcessBuilder builder = new ProcessBuilder('setsid', 'sh', '-xe', script.path)
        builder.environment().clear()
        builder.environment().putAll(frame.env)
        builder.directory(new File(frame.cwd)).redirectOutput(out).redirectError(err)
        builder.redirectInput(new File('/dev/null'))
        Process process = builder.start()
        try {
            wait(process)
        } finally {
            build.log.addAll(err.readLines('UTF-8'))
        }
        if (!args.returnStdout) {
            build.log.addAll(out.readLines('UTF-8'))
        }
        int code = process.exitValue()
        if (args.returnStatus) {
            return code
        }
        if (code != 0) {
            throw new AbortException('script returned exit code ' + code)
        }
        return args.returnStdout ? out.getText('UTF-8') : null
    }

    /** Until its end, the deadline of a `timeout` around it, or a fault `during` it. */
    private void wait(Process process) {
        String label = args.label ?: ''
        Map during = build.faults.find { it.step == 'sh' && it.when == 'during' && label.contains(it.label ?: '') }
        long left = Math.max(frame.deadline - System.currentTimeMillis(), 1)
        long most = during == null ? Math.min(left, 50000L) : Math.min(left, (long) (during.seconds * 1000))
        if (process.waitFor(most, TimeUnit.MILLISECONDS)) {
            return
        }
        signal('TERM', process)
        long end = System.currentTimeMillis() + 4000
        while (signal('0', process) && System.currentTimeMillis() < end) {
            sleep(20)
        }
        signal('KILL', process)
        process.waitFor()
        if (during != null && most < left) {
            build.faults.remove(during)
            throw Build.THROWN[during.thrown].call()
        }
        throw late(label)
    }

    /** As where the agent hangs: the stop takes the seconds of a fault `late`, or the user's abort comes meanwhile. */
    private Throwable late(String label) {
        Map found = build.faults.find { it.step == 'sh' && it.when == 'late' && label.contains(it.label ?: '') }
        if (found == null) {
            return Build.THROWN.timeout.call()
        }
        build.faults.remove(found)
        sleep((long) (found.seconds * 1000))
        return Build.THROWN[found.thrown].call()
    }

    /** To all that the shell has started; false if none of it is left. */
    private static boolean signal(String name, Process process) {
        return ['kill', '-' + name, '--', '-' + process.pid()].execute().waitFor() == 0
    }
}
