package harness

import java.lang.reflect.Constructor
import java.lang.reflect.Field
import java.lang.reflect.Member
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import org.codehaus.groovy.runtime.DefaultGroovyMethods
import org.codehaus.groovy.runtime.EncodingGroovyMethods
import org.codehaus.groovy.runtime.ProcessGroovyMethods
import org.codehaus.groovy.runtime.StringGroovyMethods
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException
import org.kohsuke.groovy.sandbox.GroovyInterceptor

/**
 * Holds whatever sandboxed code does against signatures, written as script-security writes them and found as it finds
 * them. Free are, as there, what the library and the Jenkinsfile themselves declare, the steps, and `env.NAME`. Casts
 * are not held: this interceptor is of a time before they were.
 */
class Sandbox extends GroovyInterceptor {
    private static final List<Class> ADDED =
        [DefaultGroovyMethods, StringGroovyMethods, EncodingGroovyMethods, ProcessGroovyMethods]
    private static final List<String> ARITHMETIC = ['plus', 'minus', 'multiply', 'div', 'compareTo', 'mod', 'intdiv']

    final Set<String> permitted
    final Set<String> used = new TreeSet<String>().asSynchronized()

    Sandbox(List<String> permitted) {
        this.permitted = permitted as Set
    }

    @Override
    Object onMethodCall(GroovyInterceptor.Invoker invoker, Object receiver, String name, Object... args) {
        if (receiver != null) {
            Method found = Selector.method(receiver, name, args as List)
            if (found != null) {
                check([found], shown(receiver, name))
            } else if (!(receiver instanceof Number && ARITHMETIC.contains(name))) {
                check(added(receiver, name, args as List), shown(receiver, name))
            }
        }
        return super.onMethodCall(invoker, receiver, name, args)
    }

    @Override
    Object onStaticCall(GroovyInterceptor.Invoker invoker, Class receiver, String name, Object... args) {
        check([Selector.staticMethod(receiver, name, args as List)], shown(receiver, name))
        return super.onStaticCall(invoker, receiver, name, args)
    }

    @Override
    Object onNewInstance(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) {
        check([Selector.constructor(receiver, args as List)], shown(receiver, 'new'))
        return super.onNewInstance(invoker, receiver, args)
    }

    @Override
    Object onGetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String name) {
        if (receiver != null && !(receiver instanceof Steps.Environment)) {
            List<Member> found = ['get', 'is'].collect { Selector.method(receiver, it + name.capitalize(), []) }
            found.add(Selector.field(receiver, name))
            found += ['get', 'is'].collectMany { added(receiver, it + name.capitalize(), []) }
            found.add(Selector.method(receiver, 'getProperty', [name]))
            if (receiver instanceof Class) {
                found.add(Selector.staticMethod(receiver, 'get' + name.capitalize(), []))
                found.add(Selector.staticField(receiver, name))
            }
            check(found, shown(receiver, name))
        }
        return super.onGetProperty(invoker, receiver, name)
    }

    @Override
    Object onSetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String name, Object value) {
        List<Member> found = [
            Selector.method(receiver, 'set' + name.capitalize(), [value]),
            Selector.field(receiver, name),
            Selector.method(receiver, 'setProperty', [name, value]),
        ]
        check(found, shown(receiver, name))
        return super.onSetProperty(invoker, receiver, name, value)
    }

    @Override
    Object onGetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String name) {
        check([Selector.field(receiver, name)], shown(receiver, name))
        return super.onGetAttribute(invoker, receiver, name)
    }

    @Override
    Object onSetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String name, Object value) {
        check([Selector.field(receiver, name)], shown(receiver, name))
        return super.onSetAttribute(invoker, receiver, name, value)
    }

    @Override
    Object onGetArray(GroovyInterceptor.Invoker invoker, Object receiver, Object index) {
        check([Selector.method(receiver, 'getAt', [index])] + added(receiver, 'getAt', [index]), shown(receiver, '[]'))
        return super.onGetArray(invoker, receiver, index)
    }

    @Override
    Object onSetArray(GroovyInterceptor.Invoker invoker, Object receiver, Object index, Object value) {
        List given = [index, value]
        check([Selector.method(receiver, 'putAt', given)] + added(receiver, 'putAt', given), shown(receiver, '[]='))
        return super.onSetArray(invoker, receiver, index, value)
    }

    /** One of them must be free or on the list. */
    private void check(List<Member> candidates, String shown) {
        List<Member> found = candidates.findAll { it != null }
        if (found.any { isOwn(it) }) {
            return
        }
        List<String> signatures = found.collect { signature(it) }
        String let = signatures.find { permitted.contains(it) }
        if (let == null) {
            String refused = signatures ? signatures[0] : shown
            Build.now.forbidden.add(refused)
            throw new RejectedAccessException(refused)
        }
        used.add(let)
    }

    /** Declared by the library, the Jenkinsfile, or the stand-ins for steps; what the compiler adds is not free. */
    private static boolean isOwn(Member member) {
        Class type = member.declaringClass
        return (type.classLoader instanceof GroovyClassLoader.InnerLoader && !member.synthetic) ||
            type.name.startsWith('harness.')
    }

    private static List<Method> added(Object receiver, String name, List args) {
        return ADDED.collect { Selector.staticMethod(it, name, [receiver] + args) }.findAll { it != null }
    }

    private static String signature(Member member) {
        String kind = Modifier.isStatic(member.modifiers) ? 'static' : ''
        if (member instanceof Field) {
            return (kind ? 'staticField ' : 'field ') + member.declaringClass.name + ' ' + member.name
        }
        boolean isNew = member instanceof Constructor
        List<String> words = isNew ? ['new'] : [kind ? 'staticMethod' : 'method']
        words += isNew ? [member.name] : [member.declaringClass.name, member.name]
        return (words + member.parameterTypes*.canonicalName).join(' ')
    }

    private static String shown(Object receiver, String name) {
        return (receiver instanceof Class ? receiver.name : receiver.getClass().name) + ' ' + name
    }
}
