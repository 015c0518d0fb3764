"""What Redis does for the counters, in Lua: each script is one atomic step.

Everything lies under one hash tag, so that on a cluster one node has it all and scripts may name what keys they need:

    {llmgw}:epoch            "ready <id> <run>", or "building", or "lost": may what is here be trusted?
    {llmgw}:<id>:c:<name>    a counter: hi (highest slice), sum, and t<slice> where the window has many
    {llmgw}:<id>:w:<name>@<slice>   a tracked counter's parts: worker -> amount
    {llmgw}:<id>:i:<worker>  which of those a worker stands in, by when they end
    {llmgw}:<id>:r:<worker>  its last request's number and answer, in case the answer was lost on the way
    {llmgw}:<id>:seq         worker -> the number of the request it must send next; what comes late changes nothing
    {llmgw}:<id>:workers     worker -> when it was last heard

An epoch begins when Redis was rebuilt. Its id is part of every key, so that nothing of an earlier one can be mistaken
for it; `run` is the Redis process that it began in: another one may have come back without its last seconds.
"""

import hashlib
from dataclasses import dataclass

PREFIX = "{llmgw}:"


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the name by which Redis knows it once it is loaded."""

    text: str
    sha: str


def _script(*parts: str) -> Script:
    text = "".join(parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_BASIS = """
local prefix = ARGV[1]
local request = cmsgpack.unpack(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local epoch = redis.call('GET', KEYS[1])
local state, id, run
if epoch then state, id, run = string.match(epoch, '^(%a+) (%x+) (%x+)$') end
local base = prefix .. (id or '') .. ':'
"""

_SAME_RUN = """
local function this_run() return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end
if epoch and state ~= 'lost' and run ~= this_run() then
  state = 'lost'
  epoch = 'lost ' .. id .. ' ' .. run
  redis.call('SET', KEYS[1], epoch)
end
"""

# A row is a counter as a worker tells of it: name, span (0 where the window has one slice), its slice, whether parts
# are tracked, and when that slice ends (0 for never). A sliding window's slice is for this clock to say.
_COUNTERS = """
local MARGIN_MS, LONGEST_SLICE_MS = 60000, 32 * 86400000

local function ends_ms(c, n)
  if c.span > 0 then return math.floor((n + 65) * c.span / 64 * 1000) end
  if c.ends == 0 then return 0 end
  return c.ends + math.max(0, n - c.slice) * LONGEST_SLICE_MS
end

local function expire(c, key, n)
  local ends = ends_ms(c, n)
  if ends > 0 then redis.call('PEXPIREAT', key, ends + MARGIN_MS) end
end

local function go_on_to(c, slice)
  if slice <= c.hi then return end
  local stored = 0
  if c.span == 0 or slice - c.hi > 64 then
    redis.call('DEL', c.key)
  else
    local fields, gone, dropped = {}, {}, 0
    for n = c.hi - 64, slice - 65 do fields[#fields + 1] = 't' .. n end
    for i, part in ipairs(redis.call('HMGET', c.key, unpack(fields))) do
      if part then
        gone[#gone + 1] = fields[i]
        dropped = dropped + tonumber(part)
      end
    end
    if #gone > 0 then redis.call('HDEL', c.key, unpack(gone)) end
    stored = redis.call('HINCRBY', c.key, 'sum', 0 - dropped)
    redis.call('HSET', c.key, 'hi', slice)
  end
  c.hi, c.fresh, c.parts, c.sum = slice, true, nil, stored
  local kept = {}
  for n, d in pairs(c.adds) do
    if n > slice - c.slices then
      kept[n] = d
      c.sum = c.sum + d
    end
  end
  c.adds = kept
end

local function open(row)
  local c = {key = base .. 'c:' .. row[1], name = row[1], span = row[2], slice = row[3], tracked = row[4],
    ends = row[5], adds = {}}
  if c.span > 0 then c.slice = math.floor(now * 64 / c.span) end
  c.slices = c.span > 0 and 65 or 1
  local got = redis.call('HMGET', c.key, 'hi', 'sum')
  c.sum = tonumber(got[2] or 0)
  if got[1] then
    c.hi = tonumber(got[1])
    go_on_to(c, c.slice)
  else
    c.hi, c.fresh = c.slice, true
  end
  return c
end

-- Requests name a counter by its row, from 0 on.
local function open_all(rows)
  local counters = {}
  for i, row in ipairs(rows) do counters[i - 1] = open(row) end
  return counters
end

local function add(c, n, delta)
  go_on_to(c, n)
  if n <= c.hi - c.slices then return end
  c.adds[n] = (c.adds[n] or 0) + delta
  c.sum = c.sum + delta
end

local function note_part(c, n, worker)
  local ends = ends_ms(c, n)
  redis.call('ZADD', base .. 'i:' .. worker, ends > 0 and ends + MARGIN_MS or '+inf', c.name .. '@' .. n)
end

local function add_part(c, n, worker, delta, noted)
  local key = base .. 'w:' .. c.name .. '@' .. n
  local part = redis.call('HINCRBY', key, worker, delta)
  if part == 0 then
    redis.call('HDEL', key, worker)
    redis.call('ZREM', base .. 'i:' .. worker, c.name .. '@' .. n)
  elseif part == delta then
    expire(c, key, n)
    if noted then note_part(c, n, worker) end
  end
end

local function write(c, worker)
  local total, changed = 0, false
  for n, d in pairs(c.adds) do
    if d ~= 0 then
      changed = true
      total = total + d
      if c.span > 0 then redis.call('HINCRBY', c.key, 't' .. n, d) end
      if worker and c.tracked then add_part(c, n, worker, d, true) end
    end
  end
  if not changed then return end
  local sum = redis.call('HINCRBY', c.key, 'sum', total)
  if c.span == 0 and c.ends == 0 and sum == 0 then
    redis.call('DEL', c.key)
  elseif c.fresh then
    redis.call('HSET', c.key, 'hi', c.hi)
    expire(c, c.key, c.hi)
  end
end
"""

# request: epoch, worker, expected number, rows, changes {row, slice, delta}, calls {peek, row, amount, limit, ...}
BATCH = _script(
    _BASIS,
    _COUNTERS,
    """
local worker, expected = request[2], request[3]
if epoch ~= request[1] then return cmsgpack.pack({'epoch', now, {}, {}, {}}) end
if redis.call('HGET', base .. 'seq', worker) ~= expected then return cmsgpack.pack({'number', now, {}, {}, {}}) end

local function wait_ms(c, amount, limit)
  if c.span == 0 or amount > limit then return -1 end
  if not c.parts then
    local fields = {}
    for n = c.hi - 64, c.hi do fields[#fields + 1] = 't' .. n end
    c.parts = redis.call('HMGET', c.key, unpack(fields))
  end
  local excess = c.sum + amount - limit
  for i = 1, 65 do
    local n = c.hi - 65 + i
    excess = excess - tonumber(c.parts[i] or 0) - (c.adds[n] or 0)
    if excess <= 0 then return math.max(0, math.ceil(((n + 65) * c.span / 64 - now) * 1000)) end
  end
  return -1
end

local counters = open_all(request[4])
for _, change in ipairs(request[5]) do add(counters[change[1]], change[2], change[3]) end

local results = {}
for k, call in ipairs(request[6]) do
  local refused, wait = 0, -1
  for j = 2, #call, 3 do
    local c, amount, limit = counters[call[j]], call[j + 1], call[j + 2]
    if limit and c.sum + amount > limit then
      refused, wait = (j + 1) / 3, wait_ms(c, amount, limit)
      break
    end
  end
  local result = {refused, wait}
  for j = 2, #call, 3 do
    local c, amount = counters[call[j]], call[j + 1]
    if refused == 0 and not call[1] then add(c, c.hi, amount) end
    result[#result + 1] = (refused == 0 and call[1]) and c.sum + amount or c.sum
  end
  results[k] = result
end

local slices, sums = {}, {}
for i = 1, #request[4] do
  local c = counters[i - 1]
  write(c, worker)
  slices[i], sums[i] = c.hi, c.sum
end
local answer = cmsgpack.pack({'done', now, slices, sums, results})
redis.call('SET', base .. 'r:' .. worker, expected .. ' ' .. answer)
redis.call('HSET', base .. 'seq', worker, string.format('%.0f', tonumber(expected) + 1))
return answer
""",
)

# request: worker, its next number. Answers whether the epoch stands, what the worker stands in, and its last answer.
BEGIN = _script(
    _BASIS,
    _SAME_RUN,
    """
if not epoch or state == 'lost' then return {cmsgpack.pack({'lost', now, '', {}}), ''} end
local worker = request[1]
redis.call('HSET', base .. 'seq', worker, request[2])
redis.call('HSET', base .. 'workers', worker, now)
local stands_in = redis.call('ZRANGE', base .. 'i:' .. worker, 0, -1)
local last = redis.call('GET', base .. 'r:' .. worker)
return {cmsgpack.pack({'done', now, epoch, stands_in}), last or ''}
""",
)

# request: worker. Answers the epoch, the worker's next number, and how many workers live.
BEAT = _script(
    _BASIS,
    _SAME_RUN,
    """
if not epoch or state == 'lost' then return cmsgpack.pack({'lost', now, '', '', 0}) end
local worker = request[1]
redis.call('HSET', base .. 'workers', worker, now)
redis.call('ZREMRANGEBYSCORE', base .. 'i:' .. worker, '-inf', now * 1000)
local living = 0
for _, heard in ipairs(redis.call('HVALS', base .. 'workers')) do
  if now - tonumber(heard) < 5 then living = living + 1 end
end
return cmsgpack.pack({'done', now, epoch, redis.call('HGET', base .. 'seq', worker) or '', living})
""",
)

# request: epoch id, guard, at least, rows, parts {worker, {row, slice, amount}, ...}, changes {row, slice, delta}
# The guard is {worker, number} of a living worker; {worker, false} where it must be a gone one; false for none.
PUSH = _script(
    _BASIS,
    _COUNTERS,
    """
if state == 'lost' or id ~= request[1] then return 'epoch' end
local guard, at_least = request[2], request[3]
if guard and redis.call('HGET', base .. 'seq', guard[1]) ~= guard[2] then return 'number' end

local counters = open_all(request[4])
local function set_part(c, n, worker, amount)
  go_on_to(c, n)
  if n <= c.hi - c.slices then return end
  local had = tonumber(redis.call('HGET', base .. 'w:' .. c.name .. '@' .. n, worker) or 0)
  if amount ~= had and not (at_least and amount < had) then
    add(c, n, amount - had)
    add_part(c, n, worker, amount - had, false)
  end
  if guard and guard[2] and amount ~= 0 then note_part(c, n, worker) end
end
for _, told in ipairs(request[5]) do
  for j = 2, #told do set_part(counters[told[j][1]], told[j][2], told[1], told[j][3]) end
end
for _, change in ipairs(request[6]) do add(counters[change[1]], change[2], change[3]) end
for i = 1, #request[4] do write(counters[i - 1]) end
if guard and guard[2] then
  redis.call('SET', base .. 'r:' .. guard[1], guard[2] .. ' ')
  redis.call('HSET', base .. 'seq', guard[1], string.format('%.0f', tonumber(guard[2]) + 1))
end
return 'done'
""",
)

# request: a new id, for how many milliseconds the rebuilding is one process's own.
ANNOUNCE = _script(
    _BASIS,
    _SAME_RUN,
    """
if state == 'ready' then return {'ready', ''} end
if not redis.call('SET', prefix .. 'rebuilding', request[1], 'NX', 'PX', request[2]) then return {'theirs', ''} end
redis.call('SET', KEYS[1], 'building ' .. request[1] .. ' ' .. this_run())
return {'mine', id or ''}
""",
)

# request: the id, for how many milliseconds to go on, whether it is done.
PROCEED = _script(
    _BASIS,
    """
if id ~= request[1] or state ~= 'building' then return 'theirs' end
if request[3] then
  redis.call('SET', KEYS[1], 'ready ' .. id .. ' ' .. run)
  redis.call('DEL', prefix .. 'rebuilding')
else
  redis.call('SET', prefix .. 'rebuilding', id, 'PX', request[2])
end
return 'mine'
""",
)

# request: worker. It is taken for gone: what it still sends changes nothing. Answers the epoch id and its parts.
FENCE = _script(
    _BASIS,
    """
if not epoch or state == 'lost' then return cmsgpack.pack({'', {}}) end
redis.call('HDEL', base .. 'seq', request[1])
return cmsgpack.pack({id, redis.call('ZRANGE', base .. 'i:' .. request[1], 0, -1)})
""",
)

# request: epoch id, worker.
FORGET = _script(
    _BASIS,
    """
if id ~= request[1] or redis.call('HEXISTS', base .. 'seq', request[2]) == 1 then return 'number' end
redis.call('DEL', base .. 'i:' .. request[2], base .. 'r:' .. request[2])
redis.call('HDEL', base .. 'workers', request[2])
return 'done'
""",
)

# request: seconds. Answers the workers that were not heard for so long.
UNHEARD = _script(
    _BASIS,
    """
local unheard = {}
if not epoch or state == 'lost' then return unheard end
local heard = redis.call('HGETALL', base .. 'workers')
for i = 1, #heard, 2 do
  if now - tonumber(heard[i + 1]) > request[1] then unheard[#unheard + 1] = heard[i] end
end
return unheard
""",
)

# request: rows. Answers their sums, and changes nothing; nothing where they can't be trusted.
READ = _script(
    _BASIS,
    """
if state ~= 'ready' then return false end
local sums = {}
for i, row in ipairs(request[1]) do
  local key, span, slice = base .. 'c:' .. row[1], row[2], row[3]
  if span > 0 then slice = math.floor(now * 64 / span) end
  local got = redis.call('HMGET', key, 'hi', 'sum')
  local hi, sum = tonumber(got[1] or slice), tonumber(got[2] or 0)
  if slice > hi and (span == 0 or slice - hi > 64) then
    sum = 0
  elseif slice > hi then
    local fields = {}
    for n = hi - 64, slice - 65 do fields[#fields + 1] = 't' .. n end
    for _, part in ipairs(redis.call('HMGET', key, unpack(fields))) do sum = sum - tonumber(part or 0) end
  end
  sums[i] = sum
end
return cmsgpack.pack(sums)
""",
)
