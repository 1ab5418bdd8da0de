package hudson

/** Jenkins' own exception for a failed step: its name and message are all that is known of it here. */
class AbortException extends IOException {
    AbortException(String message) {
        super(message)
    }
}
