// The action's own folder in the job's temporary one: private, and no place that a step has prepared is taken for it.
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isBlank, warn } from './runner.mjs'

const NAME = 'versioner-ci-action'
let known

// The same folder for all steps of a job; one of this process alone, where another's stands in the way.
export function scratch() {
  if (isBlank(process.env.RUNNER_TEMP)) throw new Error('RUNNER_TEMP is not set')
  known ??= isPrivate(join(process.env.RUNNER_TEMP, NAME)) ?? mkdtempSync(join(process.env.RUNNER_TEMP, `${NAME}-`))
  return known
}

function isPrivate(folder) {
  mkdirSync(dirname(folder), { recursive: true })
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (fault) {
    if (fault.code !== 'EEXIST') throw fault
  }
  const found = lstatSync(folder)
  const isOurs = !process.getuid || (found.uid === process.getuid() && (found.mode & 0o022) === 0)
  return found.isDirectory() && isOurs ? folder : undefined
}

// What the job's newest track has begun: the path of a file, if there is one.
export function tracked() {
  const path = join(scratch(), 'track.json')
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined
}

// A new file, renamed: nothing that stands there is written through.
export function remember(body) {
  try {
    const path = join(scratch(), 'track.json')
    const fresh = `${path}.${process.pid}.${Date.now()}`
    writePrivate(fresh, JSON.stringify(body))
    renameSync(fresh, path)
  } catch (fault) {
    warn(`what has begun cannot be written down (${fault.code ?? fault.message}): the next track cannot end this one`)
  }
}

const writePrivate = (path, text) => writeFileSync(path, text, { mode: 0o600, flag: 'wx' })

// Runs `work` with the path of a file that holds `text`, or with nothing if there is no text.
export async function withFile(text, work) {
  if (isBlank(text)) return work()
  const folder = mkdtempSync(join(scratch(), 'input-'))
  try {
    writePrivate(join(folder, 'input.json'), text)
    return await work(join(folder, 'input.json'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
