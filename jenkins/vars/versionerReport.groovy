import io.versioner.Event

/** Reports one event of a build or a deployment: versionerReport.txt tells how to call it. */
String call(Map given = [:]) {
    Event event = new Event(this, given)
    given = null  // as in withVersioner
    return event.report()
}
