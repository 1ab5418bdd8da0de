// The runner's side: inputs, state, outputs and annotations, and the settings that inputs become.
import { appendFileSync } from 'node:fs'

const SECRETS = ['api-key', 'slack-token', 'slack-webhook-url']
// Inputs that are settings of the core, by the names of its options; each becomes the setting's variable.
export const SETTINGS = [
  ...SECRETS,
  ...['product', 'version', 'environment', 'key', 'lifecycle', 'metadata', 'identity'],
  ...['api-url', 'gate', 'gate-wait', 'skip-preflight', 'slack-channel', 'slack-api-url'],
  ...['timeout', 'fail-on-error', 'spool-dir', 'allow-http', 'config', 'quiet', 'verbose'],
]
const LONGEST_KEY = 200
// Settings' other names, and settings that are no inputs.
const VARIABLES = ['SLACK_CHANNEL_ID', 'VERSIONER_FAIL_ON_API_ERROR', 'VERSIONER_UNSTABLE', 'VERSIONER_HOST']
export const STARTED = ['started', 'in_progress', 'init', 'deploying', 'building', 'running', 'inprogress']
const crypto = () => process.getBuiltinModule('node:crypto') // takes its time, and a post needs none of it

export const isBlank = (text) => !text?.trim()

// `api-key` and `api_key` are the same input; the runner keeps hyphens in its variables' names.
export function input(name, env = process.env) {
  const declared = env[`INPUT_${name.toUpperCase()}`]
  return (isBlank(declared) ? env[`INPUT_${name.toUpperCase().replaceAll('-', '_')}`] : declared) ?? ''
}

export function variable(name) {
  if (name === 'slack-token') return 'SLACK_BOT_TOKEN'
  const upper = name.toUpperCase().replaceAll('-', '_')
  return upper.startsWith('SLACK_') ? upper : `VERSIONER_${upper}`
}

// The core's environment: the step's own with the inputs in it, which are stronger, and without INPUT_… and STATE_….
export function environment(env = process.env) {
  const kept = Object.entries(env).filter(([name]) => !/^(INPUT|STATE)_/i.test(name))
  const given = SETTINGS.map((name) => [variable(name), input(name, env)]).filter(([, value]) => !isBlank(value))
  const result = { ...Object.fromEntries(kept), ...Object.fromEntries(given) }
  if (isBlank(result.VERSIONER_KEY)) result.VERSIONER_KEY = leg(env)
  return result
}

// What a later step needs to report for this one; blank counts as not set. Secrets, and where they go, are its own.
export function identityOf(env) {
  const own = [...SECRETS, 'api-url', 'slack-api-url', 'allow-http']
  const names = [...SETTINGS.filter((name) => !own.includes(name)).map(variable), ...VARIABLES]
  return Object.fromEntries(names.map((name) => [name, env[name] ?? '']))
}

// GitHub tells a job's variables nothing of its matrix: legs share GITHUB_JOB.
export function leg(env = process.env) {
  let values
  try {
    values = JSON.parse(input('matrix', env) || 'null')
  } catch {
    values = null
  }
  if (values === null || typeof values !== 'object' || Object.keys(values).length === 0) return ''
  const text = JSON.stringify(values)
  const short = text.length > LONGEST_KEY ? crypto().createHash('sha256').update(text).digest('hex') : text
  return [short, input('job-index', env).trim()].filter(Boolean).join(' #')
}

// Only an acceptance may let a deployment start; a word that the core cannot read may have said so.
export function isRequired(env) {
  const words = /^(on|off|true|false|yes|no|[ytnf10])$/i
  const [gate, disabled] = [env.VERSIONER_GATE ?? '', env.VERSIONER_DISABLED ?? ''].map((text) => text.trim())
  return gate !== '' && !words.test(gate) && !/^(on|true|yes|[yt1])$/i.test(disabled)
}

// Whether nothing but the core's yes may let this step end well: the start of what is no build.
export function isShut(env, event, status) {
  const word = status.trim().toLowerCase().replace(/[-_\s]+/g, '_')
  return isRequired(env) && event.trim().toLowerCase() !== 'build' && STARTED.includes(word)
}

export const saveState = (name, value) => append(process.env.GITHUB_STATE, name, value)
export const state = (name) => process.env[`STATE_${name}`] ?? ''
export const output = (name, value) => append(process.env.GITHUB_OUTPUT, name, value)

export const warn = (text) => annotate('warning', text)
export const error = (text) => annotate('error', text)

function append(file, name, value) {
  if (!file || isBlank(value)) return
  const mark = `versioner_${crypto().randomUUID()}`
  appendFileSync(file, `${name}<<${mark}\n${value}\n${mark}\n`)
}

function annotate(word, text) {
  const line = String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').replaceAll('##[', '# #[')
  process.stderr.write(`::${word} title=versioner-ci::${line.slice(0, 1000).replaceAll('%', '%25')}\n`)
}
