import io.versioner.Lifecycle

/** Reports the work in `body` to the release tracker and to Slack: withVersioner.txt tells how to call it. */
Object call(Map given = [:], Closure body) {
    Lifecycle lifecycle = new Lifecycle(this, given, UUID.randomUUID().toString())
    given = null  // it need not be serialisable, and what this call holds is saved at each step
    return lifecycle.around(body)
}
