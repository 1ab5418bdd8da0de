import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interrupted, json, run } from '../../../actions/lib/processes.mjs'

const node = (program, options = {}) => run([process.execPath, '-e', program], { env: process.env, ...options })

test('a program ends with its own code and what it printed', async () => {
  assert.deepEqual(await node('console.log("a"); process.exitCode = 4'), { code: 4, out: 'a\n' })
})

test('a program that is not there ends at once, without a code', async () => {
  const began = Date.now()
  assert.deepEqual(await run(['/nonexistent/python3'], { env: {}, seconds: 30 }), { code: null, out: '' })
  assert.ok(Date.now() - began < 5000)
})

test('a program that takes too long is killed', async () => {
  const { code } = await node('setInterval(() => {}, 1000)', { seconds: 0.3 })
  assert.equal(code, null)
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
