import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const fresh = () => mkdtempSync(join(tmpdir(), 'runner-'))
let count = 0

// The module as a new process has it.
async function of(temporary) {
  process.env.RUNNER_TEMP = temporary
  return import(`../../../actions/lib/scratch.mjs?${count++}`)
}

test('the steps of a job have one private folder', async () => {
  const temporary = fresh()
  const folder = (await of(temporary)).scratch()
  assert.equal(lstatSync(folder).mode & 0o777, 0o700)
  assert.equal((await of(temporary)).scratch(), folder)
})

test('a link, a file or a folder for everybody in its place is not used', async () => {
  const makers = [
    (path) => symlinkSync(fresh(), path),
    (path) => writeFileSync(path, ''),
    (path) => (mkdirSync(path), chmodSync(path, 0o777)),
  ]
  for (const make of makers) {
    const temporary = fresh()
    const known = join(temporary, 'versioner-ci-action')
    make(known)
    const folder = (await of(temporary)).scratch()
    assert.notEqual(folder, known)
    assert.equal(dirname(folder), temporary)
    assert.equal(lstatSync(folder).mode & 0o777, 0o700)
  }
})

test('what has begun is found again, and only one file is left', async () => {
  const module = await of(fresh())
  assert.equal(module.tracked(), undefined)
  for (const kind of ['build', 'deployment']) module.remember({ kind })
  assert.equal(JSON.parse(readFileSync(module.tracked(), 'utf8')).kind, 'deployment')
  assert.equal(lstatSync(module.tracked()).mode & 0o777, 0o600)
})

test('a link in its place is neither read nor written through', async () => {
  const module = await of(fresh())
  const target = join(fresh(), 'target')
  writeFileSync(target, 'x')
  symlinkSync(target, join(module.scratch(), 'track.json'))
  assert.equal(module.tracked(), undefined)
  module.remember({ kind: 'build' })
  assert.equal(readFileSync(target, 'utf8'), 'x')
  assert.ok(lstatSync(module.tracked()).isFile())
})

test('where it cannot be written down nothing else fails', async () => {
  const module = await of(fresh())
  mkdirSync(join(module.scratch(), 'track.json', 'x'), { recursive: true })
  module.remember({ kind: 'build' })
  assert.equal(module.tracked(), undefined)
})

test('a file of input is gone afterwards, also if the work fails', async () => {
  const module = await of(fresh())
  let seen
  const work = (path) => {
    seen = path
    throw new Error(readFileSync(path, 'utf8'))
  }
  await assert.rejects(module.withFile('{}', work), /^Error: \{\}$/)
  assert.equal(existsSync(dirname(seen)), false)
  assert.equal(await module.withFile(' ', (path) => path), undefined)
})
