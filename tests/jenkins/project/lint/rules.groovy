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
    ruleset('rulesets/unused.xml')
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
    // A secret, or anything else from outside, in a GString would stand in a shell's text.
    IllegalRegex {
        name = 'NoGString'
        regex = /"[^"\n]*\$[{A-Za-z][^"\n]*"/
        violationMessage = 'A GString: hand text over by withEnv, and secrets by withCredentials'
        description = 'no GString in the library'
    }
}
