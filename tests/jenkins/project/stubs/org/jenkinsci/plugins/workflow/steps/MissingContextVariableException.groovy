package org.jenkinsci.plugins.workflow.steps

/** What a step throws that needs a node and has none around it. */
class MissingContextVariableException extends Exception {
    MissingContextVariableException(String type) {
        super('Required context ' + type + ' is missing')
    }
}
