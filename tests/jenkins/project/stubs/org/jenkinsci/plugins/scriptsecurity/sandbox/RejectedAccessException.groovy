package org.jenkinsci.plugins.scriptsecurity.sandbox

/** What the sandbox throws at a call that is not on its whitelist. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String signature) {
        super('Scripts not permitted to use ' + signature)
    }
}
