import io.versioner.Event

/** Reports one event of a build or a deployment: versionerReport.txt tells how to call it. */
String call(Map given = [:]) {
    return new Event(this, given).report()
}
