import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as runner from '../../../actions/lib/runner.mjs'

test('an input is read in both spellings, the declared one first', () => {
  assert.equal(runner.input('api-key', { INPUT_API_KEY: 'a' }), 'a')
  assert.equal(runner.input('api-key', { 'INPUT_API-KEY': 'b', INPUT_API_KEY: 'a' }), 'b')
  assert.equal(runner.input('api-key', { 'INPUT_API-KEY': ' ', INPUT_API_KEY: 'a' }), 'a')
  assert.equal(runner.input('api-key', {}), '')
})

test('inputs are stronger than variables, and blank ones do not count', () => {
  const env = { INPUT_PRODUCT: 'shop', INPUT_VERSION: ' ', VERSIONER_PRODUCT: 'other', VERSIONER_VERSION: '1', STATE_x: 'y' }
  const made = runner.environment(env)
  assert.equal(made.VERSIONER_PRODUCT, 'shop')
  assert.equal(made.VERSIONER_VERSION, '1')
  assert.deepEqual(Object.keys(made).filter((name) => /^(INPUT|STATE)_/.test(name)), [])
})

test('the Slack token becomes the variable that the core reads first', () => {
  assert.equal(runner.environment({ 'INPUT_SLACK-TOKEN': 'new', SLACK_BOT_TOKEN: 'old' }).SLACK_BOT_TOKEN, 'new')
  assert.equal(runner.variable('slack-channel'), 'SLACK_CHANNEL')
  assert.equal(runner.variable('skip-preflight'), 'VERSIONER_SKIP_PREFLIGHT')
})

test('the legs of a matrix get keys of their own, a job without a matrix none', () => {
  const keys = [
    { INPUT_MATRIX: '{"region":"eu"}', 'INPUT_JOB-INDEX': '0' },
    { INPUT_MATRIX: '{"region":"eu"}', 'INPUT_JOB-INDEX': '1' },
    { INPUT_MATRIX: '{"region":"us"}', 'INPUT_JOB-INDEX': '0' },
    { INPUT_MATRIX: JSON.stringify({ a: 'x'.repeat(900) }) },
    { INPUT_MATRIX: JSON.stringify({ a: `${'x'.repeat(900)}y` }) },
  ].map(runner.leg)
  assert.equal(new Set(keys).size, keys.length)
  assert.ok(keys.every((key) => key && key.length < 255))
  for (const none of ['null', '', '{}', 'x', '3']) assert.equal(runner.leg({ INPUT_MATRIX: none, 'INPUT_JOB-INDEX': '0' }), '')
})

test('a key that is given replaces that of the matrix', () => {
  const matrix = { INPUT_MATRIX: '{"region":"eu"}' }
  assert.equal(runner.environment({ ...matrix, INPUT_KEY: 'mine' }).VERSIONER_KEY, 'mine')
  assert.equal(runner.environment({ ...matrix, VERSIONER_KEY: 'env' }).VERSIONER_KEY, 'env')
  assert.equal(runner.environment(matrix).VERSIONER_KEY, '{"region":"eu"}')
})

test('what is written down for the next track holds no secret and no address', () => {
  const env = Object.fromEntries(runner.SETTINGS.map((name) => [runner.variable(name), 'canary']))
  const kept = Object.keys(runner.identityOf(env))
  assert.deepEqual(kept.filter((name) => /KEY$|TOKEN|URL|HTTP/.test(name)), ['VERSIONER_KEY'])
  assert.ok(['VERSIONER_PRODUCT', 'VERSIONER_ENVIRONMENT', 'SLACK_CHANNEL'].every((name) => kept.includes(name)))
  assert.equal(runner.identityOf({}).VERSIONER_PRODUCT, '')
})

test('a required gate is known, also by a word that nobody knows', () => {
  const required = (gate, disabled) => runner.isRequired({ VERSIONER_GATE: gate, VERSIONER_DISABLED: disabled })
  for (const gate of ['required', ' Required ', 'requird']) assert.equal(required(gate), true, gate)
  for (const gate of [undefined, '', ' ', 'on', 'OFF', 'true', 'no', '0']) assert.equal(required(gate), false, String(gate))
  assert.equal(required('required', '1'), false)
  assert.equal(required('required', '0'), true)
})

test('only the start of what is no build is shut', () => {
  const shut = (event, status) => runner.isShut({ VERSIONER_GATE: 'required' }, event, status)
  for (const word of ['started', ' In-Progress ', 'deploying']) assert.equal(shut('deployment', word), true, word)
  for (const word of ['success', 'failure', 'pending', '', '{"a": {}}']) assert.equal(shut('deployment', word), false, word)
  assert.equal(shut('deploymnt', 'started'), true)
  assert.equal(shut(' Build ', 'started'), false)
  assert.equal(runner.isShut({}, 'deployment', 'started'), false)
})

test('a value can end neither its own nor another entry of the state', () => {
  process.env.GITHUB_STATE = join(mkdtempSync(join(tmpdir(), 'state-')), 'state')
  runner.saveState('a', 'x\nok<<E\ntrue\nE')
  runner.saveState('a', 'y')
  runner.saveState('b', '')
  const lines = readFileSync(process.env.GITHUB_STATE, 'utf8').split('\n')
  const marks = lines.filter((line) => line.startsWith('a<<')).map((line) => line.slice(3))
  assert.equal(new Set(marks).size, 2)
  assert.ok(marks.every((mark) => mark.length > 32 && lines.includes(mark)))
})
