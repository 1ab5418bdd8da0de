package harness

import java.lang.reflect.Array
import java.lang.reflect.Constructor
import java.lang.reflect.Executable
import java.lang.reflect.Field
import java.lang.reflect.Method
import java.util.concurrent.ConcurrentHashMap

/**
 * Which of Java's members a use in Groovy means to script-security: as its GroovyCallSiteSelector has it, the most
 * general one, for supertypes come first. So `toString` of whatever is Object's, and `call` of a closure is Callable's.
 */
class Selector {
    private static final Map<Class, Set<Class>> TYPES = new ConcurrentHashMap<>()
    /** Class → name → methods: some classes of Groovy's have a thousand. */
    private static final Map<Class, Map<String, List<Method>>> METHODS = new ConcurrentHashMap<>()

    static Method method(Object receiver, String name, List args) {
        for (Class type : types(receiver.getClass())) {
            Method found = staticMethod(type, name, args)
            if (found != null) {
                return found
            }
        }
        return receiver instanceof GString ? staticMethod(String, name, args) : null
    }

    /** Of this class alone; whether it is static is not asked. */
    static Method staticMethod(Class type, String name, List args) {
        Map<String, List<Method>> named = METHODS.computeIfAbsent(type) { type.declaredMethods.groupBy { it.name } }
        return named.containsKey(name) ? (Method) best(named.get(name), args) : null
    }

    static Constructor constructor(Class type, List args) {
        return (Constructor) best(type.declaredConstructors as List, args)
    }

    static Field field(Object receiver, String name) {
        return types(receiver.getClass()).findResult { staticField(it, name) }
    }

    static Field staticField(Class type, String name) {
        return type.declaredFields.find { it.name == name }
    }

    private static Executable best(List<Executable> candidates, List args) {
        Executable found = null
        for (Executable each : candidates.findAll { fits(it, args) }) {
            if (found == null || isCloser(each, found)) {
                found = each
            }
        }
        return found
    }

    private static Set<Class> types(Class type) {
        Set<Class> known = TYPES.get(type)
        if (known != null) {
            return known
        }
        Set<Class> found = new LinkedHashSet<>()
        if (type.superclass != null) {
            found.addAll(types(type.superclass))
        }
        type.interfaces.each { found.addAll(types(it)) }
        found.add(type)
        TYPES.put(type, found)
        return found
    }

    private static boolean fits(Executable candidate, List args) {
        Class[] wanted = candidate.parameterTypes
        if (wanted.length == args.size() && [wanted as List, args].transpose().every { takes(it[0], it[1]) }) {
            return true
        }
        int fixed = wanted.length - 1
        if (!candidate.isVarArgs() || args.size() < fixed) {
            return false
        }
        return (0..<args.size()).every { takes(it < fixed ? wanted[it] : wanted[fixed].componentType, args[it]) }
    }

    private static boolean takes(Class wanted, Object given) {
        if (given == null) {
            return !wanted.primitive
        }
        if (wanted == String && given instanceof GString) {
            return true
        }
        Class boxed = boxed(wanted)
        return boxed.isInstance(given) || (wanted == long && given instanceof Integer) ||
            (wanted == int && given instanceof Long && given == given.intValue())
    }

    private static Class boxed(Class type) {
        return type.primitive ? Array.get(Array.newInstance(type, 1), 0).getClass() : type
    }

    private static boolean isWider(Class one, Class other) {
        return one.isAssignableFrom(other) || (one == Long && other == Integer)
    }

    private static boolean isCloser(Executable one, Executable other) {
        if (one.isVarArgs() != other.isVarArgs()) {
            return other.isVarArgs()
        }
        List<List<Class>> both = [one, other].collect { it.parameterTypes.collect { boxed(it) } }
        List<Class> differ = both.transpose().find { it[0] != it[1] && (isWider(*it) || isWider(it[1], it[0])) }
        return differ == null ? one.toString() > other.toString() : isWider(differ[1], differ[0])
    }
}
