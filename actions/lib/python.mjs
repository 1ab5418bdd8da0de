// Finds a Python that can run the core: the one that the input names, else python3, python, or Windows' launcher.
import { fileURLToPath } from 'node:url'
import { input, isBlank } from './runner.mjs'
import { interrupted, json, run } from './processes.mjs'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PREPARE = fileURLToPath(new URL('prepare.py', import.meta.url))
const SECONDS = 150

// { python } with its path, or { problem } that says why there is none.
export async function findPython(env) {
  const named = input('python').trim()
  const candidates = isBlank(named) ? [['python3'], ['python'], ['py', '-3']] : [[named]]
  for (const candidate of candidates) {
    const prepare = [...candidate, '-I', '-S', PREPARE, ROOT]
    const { out } = await run(prepare, { env, stderr: 'ignore', seconds: SECONDS })
    const found = json(out)
    if (found?.python || found?.problem) return found
    if (interrupted()) return { problem: 'interrupted while Python was looked for' }
  }
  const what = isBlank(named) ? 'no Python 3.10 or newer is here' : `the input python names no Python 3.10 or newer: ${named}`
  return { problem: what }
}
