-- Orders of three lines for wrk: customers, quantities and prices vary, and every body is made before
-- the clock starts. KEY is the API key;

local bodies = {}
local thread_number = 0

function setup(thread)
  thread_number = thread_number + 1
  thread:set("number", thread_number)
end

local function line(i)
  return string.format(
    '{"sku":"SKU-%05d","name":"Thing number %d","quantity":%d,"unit_amount":%d}',
    math.random(99999), i, math.random(9), math.random(100, 9999))
end

local function body()
  return string.format(
    '{"customer":{"id":"customer-%06d","email":"somebody@example.com"},"currency":"EUR",' ..
    '"payment_terms":"invoice","lines":[%s,%s,%s]}',
    math.random(999999), line(1), line(2), line(3))
end

function init(args)
  math.randomseed(tonumber(os.getenv("SEED") or "1") + number)
  wrk.method = "POST"
  wrk.path = "/v1/orders"
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
  wrk.headers["Content-Type"] = "application/json"
  for i = 1, 2000 do bodies[i] = wrk.format(nil, nil, nil, body()) end
end

local sent = 0

function request()
  sent = sent + 1
  return bodies[sent % #bodies + 1]
end

-- One line for the harness: answers, microseconds, errors of every kind, latencies in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"us":%d,"not_2xx":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
