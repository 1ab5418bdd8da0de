// What both actions do: hand the runner's own words to the core, and never fail a job that the core does not fail.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment, error, identityOf, input, isBlank, isRequired, output, saveState, state, warn } from './runner.mjs'
import { core, none, pythons } from './python.mjs'
import { interrupted } from './processes.mjs'

const SHUT = "gate 'required': only the tracker's acceptance lets this deployment start, and there is none (exit 5)"
const REJECTED = 5
const BROKEN = 1 // Python's own code for what it could not even import
const OWN_CODES = [0, 4, REJECTED]

// started, in a job's step; the job's earlier track, if there is one, is ended in the same call.
export async function track() {
  process.exitCode = await guarded(async (env) => {
    const kind = input('event')
    const before = tracked()
    const after = existsSync(before) ? [`--after=@${before}`, `--job-status=${input('job-status')}`] : []
    const { code, result } = await report(env, kind, ['started', ...after])
    saveState('outcome', result?.outcome)
    saveState('lifecycle', result?.lifecycle)
    if (result?.lifecycle && result.outcome !== 'rejected') {
      const variables = { ...identityOf(env), VERSIONER_LIFECYCLE: result.lifecycle }
      writePrivate(before, JSON.stringify({ kind, variables }))
    }
    return code
  })
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
    const { code, result } = await call(JSON.parse(state('python')), env, words)
    told(code, result)
  })
}

// Any one event; a status that is JSON is `toJSON(needs)`.
export async function reportOnce() {
  process.exitCode = await guarded((env) => {
    const status = input('status').trim()
    const details = ['error', 'error-code', 'error-file', 'reason'].filter((name) => !isBlank(input(name)))
    const options = details.map((name) => `--${name}=${input(name)}`)
    return withFile(status.startsWith('{') ? status : '', async (needs) => {
      const words = needs ? [`--needs=@${needs}`] : [`--host-status=${status}`]
      return (await report(env, input('event'), [...words, ...options])).code
    })
  })
}

// The exit code of a step's main: whatever is wrong with the reporter is a warning, unless the gate is required.
async function guarded(work) {
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
  if (!isRequired(env)) return 0
  error(SHUT)
  return REJECTED
}

// Tries one Python after the other; the core says something in JSON whenever it runs.
async function report(env, kind, words) {
  for (const python of await pythons(env)) {
    saveState('python', JSON.stringify(python))
    const { code, result } = await call(python, env, [kind, ...words])
    if (result || code === BROKEN || interrupted()) return told(code, result)
  }
  saveState('outcome', 'nothing')
  throw none()
}

const call = (python, env, words) => core(python, env, join(scratch(), 'pycache'), words)

function told(code, result) {
  if (!result && !interrupted()) warn(`versioner-ci ended with exit code ${code}: nothing is reported`)
  return { code, result }
}

// What the job's newest track has begun.
const tracked = () => join(scratch(), 'track.json')

function scratch() {
  if (isBlank(process.env.RUNNER_TEMP)) throw new Error('RUNNER_TEMP is not set')
  const folder = join(process.env.RUNNER_TEMP, 'versioner-ci-action')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

const writePrivate = (path, text) => writeFileSync(path, text, { mode: 0o600 })

// Runs `work` with the path of a file that holds `text`, or with nothing if there is no text.
async function withFile(text, work) {
  if (isBlank(text)) return work()
  const folder = mkdtempSync(join(scratch(), 'input-'))
  try {
    writePrivate(join(folder, 'input.json'), text)
    return await work(join(folder, 'input.json'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
