package harness

/** `parallel`: each branch in a thread of its own; the first failure counts, when all have ended. */
class Branches {
    static Object run(Map<String, Object> branches) {
        List<Throwable> failures = [].asSynchronized()
        List<Thread> threads = branches.findAll { it.value instanceof Closure }.collect { name, body ->
            Thread.start(name) {
                try {
                    Program.call((Closure) body)
                } catch (Throwable thrown) {
                    failures.add(thrown)
                }
            }
        }
        threads*.join()
        if (failures) {
            throw failures[0]
        }
        return null
    }
}
