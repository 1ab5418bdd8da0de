import { reportOnce } from '../lib/core.mjs'

await reportOnce()
