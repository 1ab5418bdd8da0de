-- Events as the reporter sends them: a start and an ending for each deployment, each with a key of its own.
local threads, count = 0, 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  math.randomseed(os.time() * 100 + number)
  run = string.format("%08x", math.random(0, 2147483647))
end

function request()
  count = count + 1
  local which = math.floor((count - 1) / 2)
  local id = string.format("%s-0000-4000-8000-%012x", run, which)
  local body = string.format(
    '{"product_name":"p%d","version":"1.%d","environment_name":"e%d","status":"%s","source_system":"github",'
      .. '"scm_sha":"0123456789012345678901234567890123456789","invoke_id":"%d","deployed_by":"alice",'
      .. '"extra_metadata":{"vi_lifecycle_id":"%s","vi_group_id":"g%s"}}',
    which % 20, which % 500, which % 3, count % 2 == 1 and "started" or "completed", which, id, id)
  return wrk.format("POST", "/deployment-events/", {
    ["Authorization"] = "Bearer " .. os.getenv("KEY"),
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = id .. "-" .. count,
  }, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %.3f %d\n", summary.requests, summary.duration, latency:percentile(99) / 1000,
    errors.status + errors.timeout + errors.connect + errors.read + errors.write))
end
