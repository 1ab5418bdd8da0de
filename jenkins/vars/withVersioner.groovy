import io.versioner.Lifecycle

/** Reports the work in `body` to the release tracker and to Slack: withVersioner.txt tells how to call it. */
Object call(Map given = [:], Closure body) {
    return new Lifecycle(this, given, UUID.randomUUID().toString()).around(body)
}
