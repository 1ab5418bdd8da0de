// Where a program is. The system's own search may look into the current folder first, which is the checkout.
import { accessSync, constants, statSync } from 'node:fs'
import { posix, win32 } from 'node:path'

// The absolute path of a program's name, by the absolute entries of PATH; a path is left as it is; null: it is nowhere.
export function which(name, env, platform = process.platform, exists = isProgram) {
  const isWindows = platform === 'win32'
  const path = isWindows ? win32 : posix
  if (name.includes('/') || (isWindows && /[\\:]/.test(name))) return name
  const folders = variable(env, 'PATH', isWindows).split(path.delimiter).map((folder) => folder.replace(/^"(.*)"$/, '$1'))
  const rooted = folders.filter((folder) => (isWindows ? /^([a-z]:[\\/]|\\\\)/i.test(folder) : path.isAbsolute(folder)))
  const endings = isWindows ? endingsOf(name, variable(env, 'PATHEXT', true)) : ['']
  const found = rooted.flatMap((folder) => endings.map((ending) => path.join(folder, name + ending)))
  return found.find((file) => exists(file)) ?? null
}

// Without a shell only these can be started.
function endingsOf(name, given) {
  const listed = (given || '.COM;.EXE').toLowerCase().split(';')
  const known = ['.com', '.exe'].filter((ending) => listed.includes(ending))
  return known.some((ending) => name.toLowerCase().endsWith(ending)) ? [''] : known
}

// Windows does not tell names of variables apart by case.
function variable(env, name, isWindows) {
  const found = Object.keys(env).find((key) => key === name || (isWindows && key.toUpperCase() === name))
  return found ? env[found] : ''
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
