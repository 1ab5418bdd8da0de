// Child processes: the core and what finds it. A signal that the runner sends is passed on.
import { spawn } from 'node:child_process'

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }
const MOST_BYTES = 1 << 20
const GRACE = 2000
const children = new Set()
let caught = null

for (const name of Object.keys(SIGNALS)) {
  process.on(name, () => {
    caught = caught ?? name
    children.forEach((child) => child.kill(name))
  })
}

// 128 + N once signal N has come, else 0.
export const interrupted = () => (caught ? 128 + SIGNALS[caught] : 0)

// Never rejects: `code` is null where the program could not be started, or was killed. `isLate`: it took longer than
// `seconds`, was asked to end, and two seconds later killed and left, with whatever it has started.
export function run(command, { env, stderr = 'inherit', seconds = 0 }) {
  return new Promise((resolve) => {
    const child = started(command, { env, stdio: ['ignore', 'pipe', stderr], windowsHide: true })
    if (!child) return resolve({ code: null, out: '', isLate: false })
    const chunks = []
    let [size, isLate, timer] = [0, false, undefined]
    const end = (code) => {
      clearTimeout(timer)
      children.delete(child)
      resolve({ code, out: Buffer.concat(chunks).toString(), isLate })
    }
    const abandon = () => {
      child.kill('SIGKILL')
      child.stdout?.destroy()
      child.unref()
      end(null)
    }
    const stop = () => {
      isLate = true
      child.kill('SIGTERM')
      timer = setTimeout(abandon, GRACE)
    }
    if (seconds) timer = setTimeout(stop, Math.min(seconds * 1000, 2 ** 31 - 1))
    children.add(child)
    child.on('error', () => end(null))
    child.on('close', end)
    child.stdout?.on('data', (chunk) => {
      size += chunk.length
      if (size <= MOST_BYTES) chunks.push(chunk)
    })
    if (caught) child.kill(caught)
  })
}

// Nothing where the system refuses at once: a word that is too long, for example.
function started([program, ...words], options) {
  try {
    return spawn(program, words, options)
  } catch {
    return undefined
  }
}

// The last line of `text` as JSON; undefined for anything else.
export function json(text) {
  try {
    return JSON.parse(text.trim().split('\n').at(-1))
  } catch {
    return undefined
  }
}
