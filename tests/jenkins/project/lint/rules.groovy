// CodeNarc's rules for the library and for what tests it. script/lint runs them.
ruleset {
    ruleset('rulesets/basic.xml')
    ruleset('rulesets/braces.xml')
    ruleset('rulesets/exceptions.xml') {
        exclude 'CatchException'  // the reporter's own trouble never reaches the build
        exclude 'CatchThrowable'  // the same; and whatever leaves the body is an ending
    }
    ruleset('rulesets/imports.xml') {
        exclude 'MisorderedStaticImports'
    }
    ruleset('rulesets/unused.xml') {
        UnusedMethodParameter {
            doNotApplyToFilesMatching = '.*/project/.*'  // the stand-ins for steps have the parameters of Jenkins' own
        }
    }
    ruleset('rulesets/unnecessary.xml') {
        exclude 'UnnecessaryGetter'       // the sandbox knows methods, and `thrown.message` could be a map's
        exclude 'UnnecessaryReturnKeyword' // what a closure gives back to a step is said
        exclude 'UnnecessarySubstring'    // as above: substring() is on the sandbox's list
        exclude 'UnnecessarySetter'
    }
    ruleset('rulesets/serialization.xml')
    LineLength {
        length = 120
    }
    TrailingWhitespace {
        enabled = true
    }
    MethodSize {
        maxLines = 40
    }
    ClassSize {
        maxLines = 250
    }
    rule('file:tests/jenkins/project/lint/NoGString.groovy')
}
