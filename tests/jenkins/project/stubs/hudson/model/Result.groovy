package hudson.model

/** A build's result; the later, the worse. */
enum Result {
    SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED
}
