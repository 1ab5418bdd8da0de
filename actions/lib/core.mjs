// What both actions do: hand the runner's own words to the core, and never fail a job that the core does not fail.
import { join } from 'node:path'
import { environment, error, identityOf, input, isBlank, isShut, output, saveState, state, warn } from './runner.mjs'
import { core, none, pythons } from './python.mjs'
import { interrupted } from './processes.mjs'
import { remember, scratch, tracked, withFile } from './scratch.mjs'

export const SHUT = "gate 'required': only the tracker's acceptance lets this deployment start, and there is none (exit 5)"
const REJECTED = 5
const BROKEN = 1 // Python's own code for what it could not even import
const OWN_CODES = [0, 4, REJECTED]

// started, in a job's step; the job's earlier track, if there is one, is ended in the same call.
export async function track() {
  process.exitCode = await guarded(async (env) => {
    const kind = input('event')
    const before = tracked()
    const after = before ? [`--after=@${before}`, `--job-status=${input('job-status')}`] : []
    const { code, result } = await report(env, kind, ['started', ...after])
    saveState('outcome', result?.outcome)
    saveState('lifecycle', result?.lifecycle)
    if (result?.lifecycle && result.outcome !== 'rejected') {
      remember({ kind, variables: { ...identityOf(env), VERSIONER_LIFECYCLE: result.lifecycle } })
    }
    return code
  }, 'started')
}

// The ending, in the job's post: from here on nothing may fail it.
export async function trackEnd() {
  const isOver = ['rejected', 'nothing'].includes(state('outcome'))
  if (isOver || isBlank(state('python'))) return
  const env = { ...environment(), VERSIONER_LAST_HOOK: '1' }
  if (!isBlank(state('lifecycle'))) env.VERSIONER_LIFECYCLE = state('lifecycle')
  await withFile(input('steps'), async (steps) => {
    const named = steps ? [`--steps=@${steps}`] : []
    const words = [input('event'), `--host-status=${input('job-status')}`, ...named]
    const { code, result, isLate } = await call(JSON.parse(state('python')), env, words)
    told(code, result, isLate)
  })
}

// Any one event; a status that is JSON is `toJSON(needs)`.
export async function reportOnce() {
  const status = input('status').trim()
  process.exitCode = await guarded((env) => {
    const details = ['error', 'error-code', 'error-file', 'reason'].filter((name) => !isBlank(input(name)))
    const options = details.map((name) => `--${name}=${input(name)}`)
    return withFile(status.startsWith('{') ? status : '', async (needs) => {
      const words = needs ? [`--needs=@${needs}`] : [`--host-status=${status}`]
      return (await report(env, input('event'), [...words, ...options])).code
    })
  }, status)
}

// The exit code of a step's main: whatever is wrong with the reporter is a warning, unless a required gate is asked.
async function guarded(work, status) {
  let env = process.env
  try {
    env = environment()
    const code = await work(env)
    if (OWN_CODES.includes(code)) return code
  } catch (fault) {
    warn(`${fault?.message ?? fault}: nothing is reported`)
  }
  output('ok', 'false')
  if (interrupted()) return interrupted()
  if (!isShut(env, input('event'), status)) return 0
  error(SHUT)
  return REJECTED
}

// Tries one Python after the other; the core says something in JSON whenever it runs.
async function report(env, kind, words) {
  for (const python of await pythons(env)) {
    saveState('python', JSON.stringify(python))
    const { code, result, isLate } = await call(python, env, [kind, ...words])
    if (result || code === BROKEN || isLate || interrupted()) return told(code, result, isLate)
  }
  saveState('outcome', 'nothing')
  throw none()
}

const call = (python, env, words) => core(python, env, join(scratch(), 'pycache'), words)

function told(code, result, isLate) {
  const why = isLate ? 'took too long and was stopped' : `ended with exit code ${code}`
  if (!result && !interrupted()) warn(`versioner-ci ${why}: nothing is reported`)
  return { code, result }
}
