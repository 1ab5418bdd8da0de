// Which Python runs the core: the one that the input names, else python3, python, or Windows' launcher.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { input, isBlank } from './runner.mjs'
import { interrupted, json, run } from './processes.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const LAUNCH = path('launch.py')
const SECONDS = 90
// A release has the libraries: nothing of the Python's own is used then, its site-packages neither.
const isRelease = existsSync(path('../../vendor'))

// The programs to try, in order. Throws where none can be had.
export async function pythons(env) {
  const named = input('python').trim()
  const candidates = isBlank(named) ? [['python3'], ['python'], ['py', '-3']] : [[named]]
  return isRelease ? candidates : [await prepared(candidates, env)]
}

export function none() {
  const named = input('python').trim()
  if (isBlank(named)) return new Error('no Python 3.10 or newer is here')
  return new Error(`the input python names no Python 3.10 or newer: ${named}`)
}

// { code, result }: what the core printed, nothing where it did not run.
export async function core(python, env, cache, words) {
  const options = ['-I', ...(isRelease ? ['-S'] : []), '-X', `pycache_prefix=${cache}`]
  const { code, out } = await run([...python, ...options, LAUNCH, 'report', ...words, '--json'], { env })
  return { code, result: json(out) }
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
