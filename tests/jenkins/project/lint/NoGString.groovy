import org.codehaus.groovy.ast.expr.GStringExpression
import org.codenarc.rule.AbstractAstVisitor
import org.codenarc.rule.AbstractAstVisitorRule

/** No text with an expression in it, in whatever quotes: a secret, or text from outside, would stand in a script. */
class NoGStringRule extends AbstractAstVisitorRule {
    String name = 'NoGString'
    String description = 'no GString in the library'
    int priority = 1
    Class astVisitorClass = NoGStringVisitor
}

class NoGStringVisitor extends AbstractAstVisitor {
    @Override
    void visitGStringExpression(GStringExpression expression) {
        addViolation(expression, 'A GString: hand text over by withEnv, and secrets by withCredentials')
        super.visitGStringExpression(expression)
    }
}
