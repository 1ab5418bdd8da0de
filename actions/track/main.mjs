import { track } from '../lib/core.mjs'

await track()
