package harness

/** NAME=value, as withEnv takes it; an empty value unsets. */
class Pairs {
    static Map<String, String> of(List<String> overrides) {
        Map<String, String> found = [:]
        overrides.each { String pair ->
            int at = pair.indexOf('=')
            assert at > 0 : pair
            found.put(pair.substring(0, at), pair.substring(at + 1))
        }
        return found
    }
}
