import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { patience } from '../../../actions/lib/watchdog.mjs'
import { which } from '../../../actions/lib/which.mjs'

const folder = () => mkdtempSync(join(tmpdir(), 'which-'))
const on = (platform, files) => (name, env) => which(name, env, platform, (file) => files.includes(file))

test('the first absolute entry that has the program counts, and never the current folder', () => {
  const find = on('linux', ['python3', './python3', 'bin/python3', '/b/python3', '/c/python3'])
  assert.equal(find('python3', { PATH: ':.:bin:/a:/b:/c' }), '/b/python3')
  assert.equal(find('python3', { PATH: '.:bin:' }), null)
  assert.equal(find('python3', {}), null)
})

test('on Windows, too: drives and shares are absolute, and only programs are started', () => {
  const here = ['python3.exe', '.\\python3.exe', '\\work\\python3.exe', 'C:python3.exe']
  const find = on('win32', [...here, 'C:\\a b\\python3.bat', 'C:\\a b\\python3.exe', '\\\\host\\share\\py.exe'])
  const env = { Path: '.;;\\work;C:;"C:\\a b";\\\\host\\share', PATHEXT: '.COM;.EXE;.BAT;.CMD' }
  assert.equal(find('python3', env), 'C:\\a b\\python3.exe')
  assert.equal(find('python3.exe', env), 'C:\\a b\\python3.exe')
  assert.equal(find('py', { PATH: env.Path }), '\\\\host\\share\\py.exe')
  assert.equal(find('python', env), null)
})

test('a path is a choice, and left as it is', () => {
  const find = on('win32', [])
  for (const path of ['./python3', '/opt/python3', 'C:\\python.exe', '.\\x']) assert.equal(find(path, {}), path)
  assert.equal(which('bin/python3', {}, 'linux'), 'bin/python3')
})

test('only a file that may be run is a program', () => {
  const [none, plain, good] = [folder(), folder(), folder()]
  mkdirSync(join(none, 'tool'))
  for (const place of [plain, good]) writeFileSync(join(place, 'tool'), '')
  chmodSync(join(good, 'tool'), 0o755)
  if (process.platform !== 'win32') assert.equal(which('tool', { PATH: [none, plain, good].join(':') }), join(good, 'tool'))
})

test('the core may take its budget, three of them at the end, the time to wait, and ten seconds more', () => {
  assert.equal(patience({}), 20)
  assert.equal(patience({ VERSIONER_TIMEOUT: ' 2 ', VERSIONER_GATE_WAIT: '5' }), 312)
  assert.equal(patience({ VERSIONER_TIMEOUT: '2', VERSIONER_GATE_WAIT: '5', VERSIONER_LAST_HOOK: '1' }), 16)
})

test('a time that only the core can read is the longest that there is', () => {
  assert.equal(patience({ VERSIONER_TIMEOUT: '1m' }), 610)
  const file = join(folder(), 'x.yml')
  writeFileSync(file, 'timeout: 60\n')
  assert.equal(patience({ VERSIONER_CONFIG: file }), 610)
  assert.equal(patience({ VERSIONER_CONFIG: file, VERSIONER_TIMEOUT: '1' }), 11)
  writeFileSync(file, 'product: shop\n')
  assert.equal(patience({ VERSIONER_CONFIG: file }), 20)
})
