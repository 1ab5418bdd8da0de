import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interrupted, json, run } from '../../../actions/lib/processes.mjs'

const node = (program, options = {}) => run([process.execPath, '-e', program], { env: process.env, ...options })

test('a program ends with its own code and what it printed', async () => {
  assert.deepEqual(await node('console.log("a"); process.exitCode = 4'), { code: 4, out: 'a\n', isLate: false })
})

test('a program that is not there ends at once, without a code', async () => {
  const began = Date.now()
  assert.deepEqual(await run(['/nonexistent/python3'], { env: {}, seconds: 30 }), { code: null, out: '', isLate: false })
  assert.ok(Date.now() - began < 5000)
})

test('a program that takes too long is asked to end, and may still say something', async () => {
  const ready = 'process.on("SIGTERM", () => { console.log("{}"); process.exit(7) }); setInterval(() => {}, 1000)'
  assert.deepEqual(await node(ready, { seconds: 2 }), { code: 7, out: '{}\n', isLate: true })
})

test('one that does not listen is killed, and what it has started is not waited for', async () => {
  const began = Date.now()
  const program = `process.on('SIGTERM', () => {}); process.on('SIGINT', () => {})
    require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 15000)'], { stdio: 'inherit' })`
  const { code, isLate } = await node(program, { seconds: 1 })
  assert.deepEqual({ code, isLate }, { code: null, isLate: true })
  assert.ok(Date.now() - began < 1000 + 2000 + 2000)
})

test('words that the system refuses are no exception', async () => {
  const words = [process.execPath, '-e', '0', 'x'.repeat(4_000_000)]
  assert.deepEqual(await run(words, { env: process.env }), { code: null, out: '', isLate: false })
})

test('what a program prints without end is not kept', async () => {
  const { out } = await node('process.stdout.write("x".repeat(5_000_000))')
  assert.ok(out.length <= 1 << 20)
})

test('the last line counts, and only if it is JSON', () => {
  assert.deepEqual(json('noise\n{"a": 1}\n'), { a: 1 })
  for (const text of ['', '{"a": 1}\nnoise', '{']) assert.equal(json(text), undefined)
})

test('without a signal nothing was interrupted', () => assert.equal(interrupted(), 0))
