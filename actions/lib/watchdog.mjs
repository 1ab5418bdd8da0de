// How long the core may take at most: it keeps its own budget, this is for a Python that hangs.
import { existsSync, readFileSync } from 'node:fs'
import { isBlank } from './runner.mjs'

const DEFAULT = 10
const MOST = 600
const MOST_WAIT = 24 * 60
const SPARE = 10
const FILES = ['.versioner.yml', '.github/versioner.yml']

// Seconds. What only the core can read counts as the most that it would take.
export function patience(env) {
  const budget = number(env.VERSIONER_TIMEOUT, MOST) ?? (isFiled(env) ? MOST : DEFAULT)
  if (env.VERSIONER_LAST_HOOK === '1') return budget * 3 + SPARE
  return budget + (number(env.VERSIONER_GATE_WAIT, MOST_WAIT) ?? 0) * 60 + SPARE
}

function number(text, most) {
  if (isBlank(text)) return undefined
  const found = Number(text)
  return found >= 0 && found <= most ? found : most
}

// Whether a settings file may set the time.
function isFiled(env) {
  const named = isBlank(env.VERSIONER_CONFIG) ? FILES : [env.VERSIONER_CONFIG.trim()]
  try {
    return named.some((file) => existsSync(file) && readFileSync(file, 'utf8').includes('timeout'))
  } catch {
    return true
  }
}
