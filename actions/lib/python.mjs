// Which Python runs the core: the one that the input names, else python3, python, or Windows' launcher.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { input, isBlank } from './runner.mjs'
import { interrupted, json, run } from './processes.mjs'
import { patience } from './watchdog.mjs'
import { which } from './which.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const LAUNCH = path('launch.py')
const SECONDS = 90
const LONGEST = 20_000
// A release has the libraries: nothing of the Python's own is used then, its site-packages neither.
const isRelease = existsSync(path('../../vendor'))
// One that ships what is compiled needs no other place for it.
const isCompiled = existsSync(path('../../vendor/requests/__pycache__'))

// The programs to try, in order. Throws where none can be had.
export async function pythons(env) {
  const named = input('python').trim()
  const candidates = isBlank(named) ? [['python3'], ['python'], ['py', '-3']] : [[named]]
  const here = candidates.map(([name, ...words]) => [which(name, env), ...words]).filter(([program]) => program)
  return isRelease ? here : [await prepared(here, env)]
}

export function none() {
  const named = input('python').trim()
  if (isBlank(named)) return new Error('no Python 3.10 or newer is here')
  return new Error(`the input python names no Python 3.10 or newer: ${named}`)
}

// { code, result, isLate }: what the core printed, nothing where it did not run.
export async function core(python, env, cache, words) {
  const options = ['-I', ...(isRelease ? ['-S'] : []), ...(isCompiled ? ['-B'] : ['-X', `pycache_prefix=${cache}`])]
  const given = words.map((word) => word.slice(0, LONGEST)) // the core cuts sooner, the system refuses what is longer
  const command = [...python, ...options, LAUNCH, 'report', ...given, '--json']
  const { code, out, isLate } = await run(command, { env, seconds: patience(env) })
  return { code, result: json(out), isLate }
}

// From a branch: the Python of a virtual environment that has the libraries.
async function prepared(candidates, env) {
  for (const candidate of candidates) {
    const prepare = [...candidate, '-I', path('prepare.py'), path('../..')]
    const found = json((await run(prepare, { env, stderr: 'ignore', seconds: SECONDS })).out)
    if (found?.problem) throw new Error(found.problem)
    if (found?.python) return [found.python]
    if (interrupted()) throw new Error('interrupted while Python was looked for')
  }
  throw none()
}
