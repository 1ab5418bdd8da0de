package harness

import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.sandbox.Untrusted
import org.codehaus.groovy.ast.ClassCodeExpressionTransformer
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.FieldNode
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.SourceUnit
import org.kohsuke.groovy.sandbox.SandboxTransformer

/**
 * Both transformations at once, as for an untrusted library: what is left as it was by the one goes through the other.
 * (groovy-cps has one too, but for a newer sandbox than Maven Central's.)
 */
class UntrustedTransformer extends CpsTransformer {
    private final SandboxTransformer sandbox = new SandboxTransformer()
    private ClassCodeExpressionTransformer visitor

    @Override
    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        visitor = sandbox.createVisitor(source)
        super.call(source, context, type)
    }

    @Override
    protected void visitNontransformedMethod(MethodNode method) {
        visitor.visitMethod(method)
    }

    @Override
    protected void visitNontransformedField(FieldNode field) {
        visitor.visitField(field)
    }

    @Override
    protected void visitNontransformedStatement(Statement statement) {
        statement.visit(visitor)
    }

    @Override
    protected Class getTrustTag() {
        return Untrusted
    }
}
