// Child processes: the core and what finds it. A signal that the runner sends is passed on.
import { spawn } from 'node:child_process'

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }
const MOST_BYTES = 1 << 20
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

// Never rejects: `code` is null where the program could not be started, or was killed.
export function run(command, { env, stderr = 'inherit', seconds = 0 }) {
  return new Promise((resolve) => {
    const chunks = []
    let size = 0
    const end = (code) => {
      clearTimeout(timer)
      children.delete(child)
      resolve({ code, out: Buffer.concat(chunks).toString() })
    }
    const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', stderr], windowsHide: true })
    const timer = seconds ? setTimeout(() => child.kill('SIGKILL'), seconds * 1000) : undefined
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

// The last line of `text` as JSON; undefined for anything else.
export function json(text) {
  try {
    return JSON.parse(text.trim().split('\n').at(-1))
  } catch {
    return undefined
  }
}
