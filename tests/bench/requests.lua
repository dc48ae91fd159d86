-- What wrk sends, and what it tells afterwards. From the environment:
--   SCENARIO  orders, changes, payments, get, list or edge (what an idle edge is asked)
--   KEY       the API key
--   SEED      of what varies: customers, lines, quantities, prices
--   LINES     of an order (3)
--   KEYED     "yes": each request has an Idempotency-Key of its own
--   IDS       a file of ids, one a line, of orders to change or to read; each is changed once
--   PAUSE_MS  mean of what a connection waits between its requests (0)
-- Whatever takes time is made before the clock starts.

local scenario = os.getenv("SCENARIO")
local keyed = os.getenv("KEYED") == "yes"
local line_count = tonumber(os.getenv("LINES") or "3")
local pause_ms = tonumber(os.getenv("PAUSE_MS") or "0")
local thread_number = 0
local threads = {}

function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
  table.insert(threads, thread)
end

-- ids of this thread: every thread_count-th of the file.
local function ids_of_thread()
  local ids, i = {}, 0
  local count = tonumber(os.getenv("THREADS"))
  for id in io.lines(os.getenv("IDS")) do
    if i % count == number then ids[#ids + 1] = id end
    i = i + 1
  end
  return ids
end

local function order_line(i)
  return string.format(
    '{"sku":"SKU-%05d","name":"Thing number %d","quantity":%d,"unit_amount":%d}',
    math.random(99999), i, math.random(9), math.random(100, 9999))
end

local function order_body()
  local lines = {}
  for i = 1, line_count do lines[i] = order_line(i) end
  return string.format(
    '{"customer":{"id":"customer-%06d","email":"somebody@example.com"},"currency":"EUR",' ..
    '"payment_terms":"invoice","lines":[%s]}',
    math.random(999999), table.concat(lines, ","))
end

local function payment_body()
  return string.format(
    '{"amount":%d,"currency":"EUR","payment_method":{"type":"card","card":' ..
    '{"number":"4242424242424242","exp_month":12,"exp_year":2034,"cvc":"836"}}}',
    math.random(500, 50000))
end

-- A request as it goes over the wire, in two halves: a key fits between.
local function halves(method, path, body)
  local head = string.format(
    "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n",
    method, path, wrk.headers["Host"], os.getenv("KEY"))
  local tail = "\r\n"
  if body then
    tail = string.format("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", #body, body)
  end
  return { head, tail }
end

local function many(make)
  local made = {}
  for i = 1, 2000 do made[i] = make() end
  return made
end

local prepared, ids = {}, nil

local makers = {
  orders = function() return halves("POST", "/v1/orders", order_body()) end,
  payments = function() return halves("POST", "/v1/payments", payment_body()) end,
  edge = function() return halves("GET", "/v1/orders?limit=1") end,
  list = function()
    return halves("GET", string.format("/v1/orders?customer_id=customer-%06d", math.random(999999)))
  end,
}

function init(args)
  math.randomseed(tonumber(os.getenv("SEED") or "1") * 64 + number)
  if makers[scenario] then
    prepared = many(makers[scenario])
  else
    ids = ids_of_thread()
  end
end

sent = 0
ran_out = 0

local function next_halves()
  if not ids then return prepared[sent % #prepared + 1] end
  if scenario == "get" then return halves("GET", "/v1/orders/" .. ids[math.random(#ids)]) end
  if sent > #ids then ran_out = 1 end
  return halves("PATCH", "/v1/orders/" .. ids[(sent - 1) % #ids + 1], '{"status":"sent"}')
end

function request()
  sent = sent + 1
  local two = next_halves()
  if not keyed then return two[1] .. two[2] end
  return two[1] .. "Idempotency-Key: " .. os.getenv("RUN") .. "-" .. number .. "-" .. sent .. "\r\n" .. two[2]
end

if pause_ms > 0 then
  function delay() return math.random(0, 2 * pause_ms) end
end

-- One line for the harness: answers, microseconds, errors of every kind, latencies in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  local out = 0
  for _, thread in ipairs(threads) do out = out + (thread:get("ran_out") or 0) end
  io.write(string.format(
    'RESULT {"requests":%d,"us":%d,"refused":%d,"broken":%d,"ran_out":%d,' ..
    '"mean_us":%.1f,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, out,
    latency.mean, latency:percentile(50), latency:percentile(99)))
end
