// A post that fails, fails the job: whatever happens here is a warning.
try {
  const { trackEnd } = await import('../lib/core.mjs')
  await trackEnd()
} catch (fault) {
  console.error(`::warning title=versioner-ci::${String(fault?.message ?? fault).split('\n')[0].replaceAll('%', '%25')}`)
}
process.exitCode = 0
