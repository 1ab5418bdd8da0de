package harness

import java.lang.reflect.Constructor
import java.lang.reflect.Field
import java.lang.reflect.Method
import org.codehaus.groovy.runtime.DefaultGroovyMethods
import org.codehaus.groovy.runtime.StringGroovyMethods
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException
import org.kohsuke.groovy.sandbox.GroovyInterceptor

/**
 * Holds every call of sandboxed code against signatures, written as script-security writes them. Free are, as there:
 * what the library's own classes and closures define, and the steps.
 */
class Sandbox extends GroovyInterceptor {
    private static final List<Class> ADDED = [DefaultGroovyMethods, StringGroovyMethods]
    /** Arithmetic is free: SandboxInterceptor has these names too. */
    private static final List<String> ARITHMETIC = ['plus', 'minus', 'multiply', 'div', 'compareTo']

    final Set<String> permitted
    final Set<String> used = new TreeSet<>()

    Sandbox(List<String> permitted) {
        this.permitted = permitted as Set
    }

    @Override
    Object onMethodCall(GroovyInterceptor.Invoker invoker, Object receiver, String name, Object... args) {
        boolean isArithmetic = receiver instanceof Number && ARITHMETIC.contains(name)
        if (receiver != null && !isArithmetic && !isOwn(receiver.getClass())) {
            check(methods(receiver, name, args), "method ${receiver.getClass().name} $name ${types(args)}")
        }
        return super.onMethodCall(invoker, receiver, name, args)
    }

    @Override
    Object onStaticCall(GroovyInterceptor.Invoker invoker, Class receiver, String name, Object... args) {
        if (!isOwn(receiver)) {
            List<String> found = receiver.methods.findAll { fits(it, name, args) }.collect { signature('staticMethod', it) }
            check(found, "staticMethod ${receiver.name} $name ${types(args)}")
        }
        return super.onStaticCall(invoker, receiver, name, args)
    }

    @Override
    Object onNewInstance(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) {
        if (!isOwn(receiver)) {
            List<String> found = receiver.constructors.findAll { fit(it.parameterTypes, args) }.collect { Constructor it ->
                (['new', receiver.name] + it.parameterTypes*.name).join(' ')
            }
            check(found, "new ${receiver.name} ${types(args)}")
        }
        return super.onNewInstance(invoker, receiver, args)
    }

    @Override
    Object onGetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String name) {
        if (receiver instanceof Class && !isOwn((Class) receiver)) {
            Field field = receiver.fields.find { it.name == name }
            check(field == null ? [] : ["staticField ${field.declaringClass.name} $name".toString()], "$receiver $name")
        } else if (receiver != null && !(receiver instanceof Class) && !isOwn(receiver.getClass())) {
            String getter = 'get' + name.capitalize()
            check(methods(receiver, getter), "method ${receiver.getClass().name} $getter")
        }
        return super.onGetProperty(invoker, receiver, name)
    }

    private void check(List<String> candidates, String shown) {
        String found = candidates.find { permitted.contains(it) }
        if (found == null) {
            Build.now.forbidden.add((candidates ? candidates[0] : shown).toString())
            throw new RejectedAccessException(shown.toString())
        }
        used.add(found)
    }

    /** Defined by the library, the Jenkinsfile, or the stand-ins for steps. */
    private static boolean isOwn(Class type) {
        return type.classLoader instanceof GroovyClassLoader.InnerLoader || Closure.isAssignableFrom(type) ||
            type.name.startsWith('harness.')
    }

    private static List<String> methods(Object receiver, String name, Object... args) {
        List<String> found = []
        for (Class type : hierarchy(receiver.getClass())) {
            found.addAll(type.declaredMethods.findAll { fits(it, name, args) }.collect { signature('method', it) })
        }
        Object[] all = [receiver, *args] as Object[]
        for (Class type : ADDED) {
            found.addAll(type.methods.findAll { fits(it, name, all) }.collect { signature('staticMethod', it) })
        }
        return found
    }

    private static List<Class> hierarchy(Class type) {
        List<Class> found = []
        for (Class each = type; each != null; each = each.superclass) {
            found.add(each)
            found.addAll(each.interfaces.collectMany { hierarchy(it) })
        }
        return found
    }

    private static boolean fits(Method method, String name, Object... args) {
        return method.name == name && fit(method.parameterTypes, args)
    }

    private static boolean fit(Class[] wanted, Object[] args) {
        return wanted.length == args.length && [wanted, args].transpose().every { Class type, Object arg ->
            arg == null || type.isInstance(arg) || type.primitive || (type == String && arg instanceof GString)
        }
    }

    private static String signature(String kind, Method method) {
        return ([kind, method.declaringClass.name, method.name] + method.parameterTypes*.name).join(' ')
    }

    private static String types(Object[] args) {
        return args.collect { it == null ? 'null' : it.getClass().name }.join(' ')
    }
}
